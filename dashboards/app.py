"""The dashboard's entry script: the study, the runs chosen for every page, and the page itself."""

import choice
import panels
import streamlit as st

from latentlab.errors import LatentlabError

# Not in a folder called pages: Streamlit would run such a script by itself, without this one, on a first visit.
PAGES = {
    "overview": "Overview",
    "runs": "Runs",
    "sweep": "β sweep",
    "dimensions": "Dimensions",
    "compare": "Compare",
    "map": "Map",
    "decode": "Decode",
    "support": "Support",
    "figures": "Figures",
    "health": "Health",
}

st.set_page_config(page_title="latentlab", layout="wide", initial_sidebar_state="auto")
panels.style()
choice.restore()
pages = [st.Page(f"views/{name}.py", title=title, url_path=name) for name, title in PAGES.items()]
# The first page is shown at "/" as well as at its own path, which Streamlit would give up for that of the default page.
start = st.Page(f"views/{next(iter(PAGES))}.py", title=pages[0].title, url_path="start", default=True)
page = st.navigation([start, *pages], position="hidden")
try:
    beside = choice.choose([page if page is start else pages[0], *pages[1:]])
    choice.title(page.title)
    above = st.container()
    page.run()
    choice.compared(beside)
    with above:
        for text in choice.missing():
            panels.notice(text)
except LatentlabError as error:
    panels.show(panels.heading(page.title, "", "h1"))
    panels.explain(f"{page.title} cannot be shown", str(error))
