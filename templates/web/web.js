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
        const shown = document.getElementById("live");
        // What the stream told is older than the page: nothing is taken from under the reader's hand.
        if (!fresh || fresh.dataset.shape === shown.dataset.shape) return;
        shown.replaceWith(document.adoptNode(fresh));
      }
    } catch {
      // Whoever leaves the page ends the request; where it failed, the stream tells again.
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

// Lists of rows: choosing all, how many are chosen, and keys. Each of these is a link, a
// button or a box on the page too.
(() => {
  const table = document.querySelector("table.cards");
  const boxes = () => Array.from(table.querySelectorAll('tbody .choose input[type="checkbox"]'));
  const count = document.querySelector("[data-count]");
  const all = table && table.querySelector("[data-all]");

  const tell = () => {
    const list = boxes(), chosen = list.filter((box) => box.checked).length;
    list.forEach((box) => box.closest("tr").classList.toggle("chosen", box.checked));
    if (count) count.textContent = chosen ? `${chosen} chosen` : "";
    if (all) {
      all.checked = chosen > 0 && chosen === list.length;
      all.indeterminate = chosen > 0 && chosen < list.length;
    }
  };

  // A click with Shift chooses all rows from the last one that was clicked.
  let last = null;
  const range = (event) => {
    const box = event.target, list = boxes();
    if (!list.includes(box)) return;
    if (event.shiftKey && last) {
      const [from, to] = [list.indexOf(last), list.indexOf(box)].sort((a, b) => a - b);
      list.slice(from, to + 1).forEach((other) => { other.checked = box.checked; });
      tell();
    }
    last = box;
  };

  if (table && boxes().length) {
    if (all) {
      all.hidden = false;
      all.addEventListener("change", () => {
        boxes().forEach((box) => { box.checked = all.checked; });
        tell();
      });
    }
    table.addEventListener("change", tell);
    table.addEventListener("click", range);
    addEventListener("pageshow", tell);
    tell();
  }

  // The row that keys are about is the one that has the focus, or had it last.
  let here = null;
  const rows = () => (table ? Array.from(table.tBodies[0].rows) : []);
  const goTo = (step) => {
    const list = rows();
    if (!list.length) return;
    const focused = document.activeElement.closest ? document.activeElement.closest("tbody tr") : null;
    const at = list.indexOf(focused || here);
    const next = list[Math.min(list.length - 1, Math.max(0, at + step))];
    if (here) here.classList.remove("here");
    here = next;
    here.classList.add("here");
    const target = next.querySelector(".choose input, a, button");
    if (target) target.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  const approve = () => {
    const button = document.querySelector("[data-approve]");
    if (!button) return;
    if (!boxes().some((box) => box.checked)) {
      const box = here && here.querySelector('.choose input[type="checkbox"]');
      if (!box) return;
      box.checked = true;
    }
    button.click();
  };

  const typing = (node) => node.isContentEditable || /^(TEXTAREA|SELECT)$/.test(node.tagName) ||
    node.tagName === "INPUT" && !/^(checkbox|radio|button|submit)$/.test(node.type);

  document.addEventListener("keydown", (event) => {
    const help = document.getElementById("shortcuts"), filter = document.getElementById("filter");
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || typing(event.target) || help && help.open) return;
    const box = here && here.querySelector('.choose input[type="checkbox"]');
    switch (event.key) {
      case "j": goTo(1); break;
      case "k": goTo(-1); break;
      case "x": if (!box) return; box.click(); break;
      case "a": approve(); break;
      case "/": if (!filter) return; filter.focus(); filter.select(); break;
      case "?": if (!help || !help.showModal) return; help.showModal(); break;
      case "o": {
        const link = here && here.querySelector('th[scope="row"] a');
        if (!link) return;
        link.click();
        break;
      }
      default: return;
    }
    event.preventDefault();
  });
})();
