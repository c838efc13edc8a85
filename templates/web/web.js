// Makes pages nicer that work without it.
"use strict";

// Shows how far a run is while it goes on, on the page of scans.
(() => {
  const begin = document.getElementById("live");
  if (!begin || !window.EventSource) return;
  let busy = false, wanted = "";

  // What is there has changed: the page is asked for anew, and this part of it replaced.
  const renew = async () => {
    if (busy) return;
    busy = true;
    try {
      for (let tries = 0; tries < 3 && document.getElementById("live").dataset.shape !== wanted; tries++) {
        const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
        if (!answer.ok || answer.redirected) return;
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
        if (!fresh) return;
        document.getElementById("live").replaceWith(document.adoptNode(fresh));
      }
    } finally {
      busy = false;
    }
  };

  const put = (name, text) => {
    const node = document.querySelector(`#live [data-live="${name}"]`);
    if (node && node.textContent !== text) node.textContent = text;
  };

  const source = new EventSource(begin.dataset.events);
  source.onmessage = (message) => {
    const now = JSON.parse(message.data);
    wanted = now.shape;
    if (document.getElementById("live").dataset.shape !== now.shape) {
      renew();
      return;
    }
    const bar = document.querySelector('#live [data-live="percent"]');
    if (bar) bar.value = now.percent;
    put("figure", `${now.percent} %`);
    put("step", now.step);
    put("words", now.words);
    put("left", now.left);
  };
})();
