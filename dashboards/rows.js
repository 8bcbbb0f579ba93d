// Thumbnails of rows: one is chosen by a click. A row without a picture is shown by its name.
export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const grid = parentElement.querySelector(".thumbnails");
  const named = (button, row) => { button.replaceChildren(row.name); button.classList.add("named"); };
  grid.setAttribute("aria-label", `${data.rows.length} rows to choose from`);
  grid.replaceChildren(...data.rows.map((row) => {
    const button = document.createElement("button");
    button.type = "button";
    button.title = `row ${row.name}${row.facts ? `: ${row.facts}` : ""}`;
    button.onclick = () => setTriggerValue("picked", row.name);
    if (!data.pictures) { named(button, row); return button; }
    const image = document.createElement("img");
    image.alt = button.title;
    image.onerror = () => named(button, row);
    image.src = `/thumbnail/${encodeURIComponent(data.run)}/${row.row}.png`;
    button.append(image);
    return button;
  }));
}
