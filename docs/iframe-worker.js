// From the disk a browser starts no worker, and without one the theme has no search. So the worker's script runs in a
// hidden frame of the page. The theme looks for this class by its name; served by HTTP, the browser's own is used.
if (location.protocol === "file:") {
  window.Worker = window.IFrameWorker = class extends EventTarget {
    constructor(url) {
      super();
      const frame = document.createElement("iframe");
      this.ready = new Promise((resolve) => {
        frame.addEventListener("load", () => {
          const script = frame.contentDocument.createElement("script");
          frame.contentWindow.postMessage = (data) =>
            this.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) }));
          script.addEventListener("load", () => resolve(frame.contentWindow));
          script.src = url;
          frame.contentDocument.body.append(script);
        });
      });
      frame.hidden = true;
      frame.srcdoc = "<!doctype html><title>search</title>";
      document.body.append(frame);
    }

    postMessage(data) {
      this.ready.then((inside) => inside.dispatchEvent(new MessageEvent("message", { data: structuredClone(data) })));
    }
  };
}
