// What lies in data/ is a script that calls latentlab.take: beside a page on a disk, scripts may be read and data not.
const kept = new Map(), waiting = new Map();
window.latentlab = { take: (name, content) => waiting.get(name)?.(content) };
const page = JSON.parse(document.getElementById("page").textContent);

function load(name) {
  if (!kept.has(name)) {
    kept.set(name, new Promise((done, failed) => {
      waiting.set(name, done);
      const script = document.createElement("script");
      script.src = `data/${name}.js`;
      script.onerror = () => { kept.delete(name); failed(new Error(`data/${name}.js could not be read: keep the folder data beside this page`)); };
      document.head.append(script);
    }));
  }
  return kept.get(name);
}

function say(text) {
  const said = document.getElementById("said");
  said.textContent = text;
  said.hidden = !text;
}
