def fetch(*a: object, **k: object) -> None:
    raise NotImplementedError
