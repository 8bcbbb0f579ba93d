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

st.set_page_config(page_title="latentlab", layout="wide", initial_sidebar_state="expanded")
panels.style()
pages = [
    st.Page(f"views/{name}.py", title=title, url_path=name, default=name == "overview") for name, title in PAGES.items()
]
page = st.navigation(pages, position="hidden")
try:
    choice.choose(pages)
    page.run()
except LatentlabError as error:
    panels.explain(f"{page.title} cannot be shown", str(error))
