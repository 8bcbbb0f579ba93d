// The links in a panel's head. Rows that carry a data-key, in the table named by data.table, report a click or Enter.
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const bar = parentElement.querySelector("nav");
  bar.replaceChildren();
  const add = (label, act) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = label;
    button.onclick = async () => {
      try { await act(); button.textContent = "Copied"; } catch { button.textContent = "Not allowed by the browser"; }
      setTimeout(() => { button.textContent = label; }, 1200);
    };
    bar.appendChild(button);
  };
  add("Copy link", () => navigator.clipboard.writeText(window.location.href));
  if (data.command) add("Copy command", () => navigator.clipboard.writeText(data.command));
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
