// Runs in the page's head, before Streamlit: one entry in the history for each act of the user, and a menu that makes
// room on a narrow screen.
(() => {
  // Streamlit pushes an entry for every key that a script writes into the address, defaults included. The first entry
  // after an act of the user stays; what follows without one replaces it. Going back, Streamlit replaces by itself.
  const push = history.pushState.bind(history);
  let acted = false;
  const act = () => { acted = true; };
  addEventListener("pointerdown", act, true);
  addEventListener("keydown", act, true);
  addEventListener("popstate", () => { acted = false; });
  history.pushState = (state, unused, url) => {
    if (acted) push(state, unused, url); else history.replaceState(state, unused, url);
    acted = false;
  };

  // A table that is drawn again gives the focus back to the row that had it.
  let row = null;
  const rowOf = (event) => event.target.closest?.("tr[data-key]");
  addEventListener("focusin", (event) => { row = rowOf(event) ? [rowOf(event).closest("table").dataset.table, rowOf(event).dataset.key] : null; });
  addEventListener("pointerdown", () => { row = null; }, true);
  new MutationObserver(() => {
    if (!row || document.activeElement !== document.body) return;
    const [table, key] = row.map(CSS.escape);
    document.querySelector(`table[data-table=${table}] tr[data-key=${key}]`)?.focus({ preventScroll: true });
  }).observe(document, { childList: true, subtree: true });

  const NARROW = matchMedia("(max-width: 900px)");
  const collapse = () => {
    const button = document.querySelector("[data-testid=stSidebarCollapseButton] button");  // only in an open menu
    if (!NARROW.matches || !button) return;
    button.click();
    // Streamlit remembers a menu that was closed; a wide window shall start with it open.
    Object.keys(localStorage).filter((key) => key.startsWith("stSidebarCollapsed-")).forEach((key) => localStorage.removeItem(key));
  };
  const started = new MutationObserver(() => {
    if (!document.querySelector("[data-testid=stSidebar]")) return;
    started.disconnect();
    setTimeout(collapse);
  });
  started.observe(document, { childList: true, subtree: true });
  addEventListener("click", (event) => {
    if (event.target.closest?.("[data-testid=stSidebar] [data-testid=stPageLink] a")) setTimeout(collapse);
  });
})();
