"""A page in two parts: a list or a picture, and next to it what is chosen there, which stays in view."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import streamlit as st

STYLE = Path(__file__).parent / "master_detail.css"


def parts(share: float) -> tuple[Any, Any]:
    """Where the list goes, with that share of the width, and where what is chosen goes; narrow pages stack them."""
    st.html(STYLE)
    with st.container(key="beside"):
        left, right = st.columns([share, 1 - share], gap="medium")
    return left, right.container(key="beside-chosen")
