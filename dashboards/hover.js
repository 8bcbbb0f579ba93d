// The image of the point under the pointer, beside it; and of a selection, its area alone. The chart is Plotly's.
export default function (component) {
  const { parentElement, data } = component;
  const image = parentElement.querySelector("img");
  const place = `.st-key-${data.chart.replace(/[^a-zA-Z0-9_-]/g, "-")} .js-plotly-plot`;
  let plot = null, emit = null;
  const show = (event) => {
    const [point] = event.points;
    const row = Array.isArray(point.customdata) ? point.customdata[0] : point.customdata;
    if (row === undefined || row === null) return;
    const { clientX, clientY } = event.event;
    const left = clientX + 18 + 96 < window.innerWidth ? clientX + 18 : clientX - 18 - 96;
    Object.assign(image.style, { left: `${left}px`, top: `${Math.min(clientY + 18, window.innerHeight - 104)}px` });
    image.onload = () => { image.hidden = false; };
    image.onerror = () => { image.hidden = true; };
    image.alt = `row ${row}`;
    image.src = `/thumbnail/${encodeURIComponent(data.run)}/${row}.png`;
  };
  const hide = () => { image.onload = null; image.hidden = true; };
  // Streamlit would send every enclosed point as text: 4 MB of 30,000, which the server looks up by the area anyway.
  const withoutPoints = (name, event) => emit(name, name === "plotly_selected" && event ? { ...event, points: [] } : event);
  const leave = () => {
    if (!plot || !plot.removeListener) return;
    plot.emit = emit;
    plot.removeListener("plotly_hover", show);
    plot.removeListener("plotly_unhover", hide);
  };
  const attach = () => {
    const found = document.querySelector(place);
    if (found === plot || !found || !found.on) return;
    leave();
    plot = found;
    emit = plot.emit;
    plot.emit = withoutPoints;
    plot.on("plotly_hover", show);
    plot.on("plotly_unhover", hide);
  };
  attach();
  const timer = setInterval(attach, 400);
  return () => { clearInterval(timer); leave(); hide(); };
}
