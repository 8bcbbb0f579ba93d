// The rows of a ranked table: picked by a click, Enter or Space, reached by arrow keys, named in their last cell. The
// table is HTML of the page; when the page draws it again, the picked row and the focus are put back.
const focused = new Map();

export default function (component) {
  const { data, setTriggerValue } = component;
  const find = () => document.querySelector(`table[data-table="${data.table}"]`);
  const rowsOf = (table) => [...table.querySelectorAll("tr[data-key]")];
  const rowOf = (target) => {
    const row = target.closest && target.closest("tr[data-key]");
    return row && row.closest("table") === find() ? row : null;
  };
  let picked = data.picked, drawn = null;

  const mark = () => {
    const table = find();
    if (!table) return;
    table.setAttribute("role", "grid");
    const rows = rowsOf(table);
    const reached = rows.find((row) => row.dataset.key === picked) || rows[0];
    for (const row of rows) {
      const on = row.dataset.key === picked;
      row.classList.toggle("on", on);
      row.setAttribute("aria-selected", on);
      row.toggleAttribute("aria-current", on);
      if (on) row.setAttribute("aria-current", "true");
      row.tabIndex = row === reached ? 0 : -1;
    }
    if (table === drawn) return;
    drawn = table;
    const key = focused.get(data.table);
    const lost = document.activeElement === document.body || !document.activeElement;
    if (key && lost) rows.find((row) => row.dataset.key === key)?.focus({ preventScroll: true });
  };
  const pick = (row) => {
    picked = row.dataset.key;
    mark();
    setTriggerValue("picked", picked);
  };
  const rename = (button) => {
    const row = rowOf(button), field = document.createElement("input"), shown = button.dataset.name;
    Object.assign(field, { value: shown, maxLength: Number(button.dataset.longest), className: "ll-name" });
    field.setAttribute("aria-label", button.getAttribute("aria-label"));
    let open = true;
    const close = (keep, focus) => {
      if (!open) return;
      open = false;
      const name = field.value.trim();
      field.replaceWith(button);
      if (focus) row.focus({ preventScroll: true });
      if (!keep || name === shown) return;
      button.textContent = name || "name it…";
      setTriggerValue("named", { key: row.dataset.key, shown, name });
    };
    field.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Enter") close(true, true);
      if (event.key === "Escape") close(false, true);
    };
    field.onblur = () => close(true, false);
    button.replaceWith(field);
    field.focus();
    field.select();
  };
  const click = (event) => {
    const row = rowOf(event.target);
    if (!row || event.target.matches("input")) return;
    const button = event.target.closest("button[data-name]");
    if (row.dataset.key !== picked) pick(row);
    if (button) rename(button);
  };
  const press = (event) => {
    const row = rowOf(event.target);
    if (!row || event.target !== row) return;
    const rows = rowsOf(find()), at = rows.indexOf(row);
    const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (rows[next]) rows[next].focus();
    else if (event.key === "Enter" || event.key === " ") pick(row);
    else if (event.key === "F2" && row.querySelector("button[data-name]")) rename(row.querySelector("button[data-name]"));
    else return;
    event.preventDefault();
  };
  const enter = (event) => {
    const row = rowOf(event.target);
    if (row) focused.set(data.table, row.dataset.key);
    else if (event.target !== document.body) focused.delete(data.table);
  };
  const events = { click, keydown: press, focusin: enter };
  for (const [name, listen] of Object.entries(events)) document.addEventListener(name, listen);
  const watch = new MutationObserver(() => { if (find() !== drawn) mark(); });
  watch.observe(document.body, { childList: true, subtree: true });
  mark();
  return () => {
    watch.disconnect();
    for (const [name, listen] of Object.entries(events)) document.removeEventListener(name, listen);
  };
}
