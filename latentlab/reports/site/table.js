// Headings that sort their table: first the largest number or the first text, then the other way round.
function sort(table, head) {
  const column = [...head.parentElement.children].indexOf(head), body = table.tBodies[0];
  const value = (row) => row.cells[column].dataset.value, numbers = head.classList.contains("num");
  const falling = head.ariaSort ? head.ariaSort === "ascending" : numbers;
  const known = [...body.rows].filter((row) => value(row) !== ""), unknown = [...body.rows].filter((row) => value(row) === "");
  const compare = numbers ? (a, b) => value(a) - value(b) : (a, b) => value(a).localeCompare(value(b), undefined, { numeric: true });
  known.sort((a, b) => (falling ? -1 : 1) * compare(a, b));
  body.append(...known, ...unknown);
  for (const other of head.parentElement.children) { other.ariaSort = null; }
  head.ariaSort = falling ? "descending" : "ascending";
}

for (const table of document.querySelectorAll("table.sorts")) {
  for (const head of table.tHead.rows[0].cells) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.onclick = () => sort(table, head);
    head.append(button);
  }
}
