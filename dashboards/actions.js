// The links in a panel's head. Rows that carry a data-key, in the table named by data.table, report a click or Enter.
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const bar = parentElement.querySelector("[role=group]");
  bar.setAttribute("aria-label", data.title);
  bar.replaceChildren();
  // Over plain http from another machine a browser has no clipboard for pages: there the text is shown, selected.
  const offer = (label, text) => {
    const field = document.createElement("input");
    Object.assign(field, { value: text, readOnly: true });
    field.setAttribute("aria-label", `${label}: selected, to be copied with Ctrl+C`);
    field.title = "Selected: copy it with Ctrl+C";
    field.onblur = () => field.remove();
    bar.appendChild(field);
    field.select();
  };
  const add = (label, text) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.onclick = async () => {
      try { await navigator.clipboard.writeText(text()); } catch { offer(label, text()); return; }
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = label; }, 1200);
    };
    bar.appendChild(button);
  };
  add("Copy link", () => window.location.href);
  if (data.command) add("Copy command", () => data.command);
  if (data.report) {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = data.report === "in" ? "Remove from report" : "Add to report";
    button.onclick = () => setTriggerValue("added", true);
    bar.appendChild(button);
  }
  if (!data.table) return;
  const keyOf = (event) => {
    const row = event.target.closest && event.target.closest("tr[data-key]");
    const table = row && row.closest("table");
    return table && table.dataset.table === data.table ? row.dataset.key : null;
  };
  const click = (event) => { const key = keyOf(event); if (key !== null) setTriggerValue("picked", key); };
  const press = (event) => { if (event.key === "Enter") click(event); };
  document.addEventListener("click", click);
  document.addEventListener("keydown", press);
  return () => { document.removeEventListener("click", click); document.removeEventListener("keydown", press); };
}
