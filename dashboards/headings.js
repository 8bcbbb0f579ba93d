// Headings that sort: a click on a button with a data-sort, in the table named by data.table, reports its key.
export default function (component) {
  const { data, setTriggerValue } = component;
  const click = (event) => {
    const button = event.target.closest && event.target.closest("button[data-sort]");
    if (button && button.closest("table").dataset.table === data.table) setTriggerValue("sorted", button.dataset.sort);
  };
  document.addEventListener("click", click);
  return () => document.removeEventListener("click", click);
}
