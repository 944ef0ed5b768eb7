// Pages come whole from the server and work without this file. It keeps them fresh, adds keys, and streams the console.
(() => {
  "use strict";
  const main = document.getElementById("main");
  if (!main || !document.getElementById("live")) return;
  const collapsed = new Set();
  let paused = false;                      // the page stays as it is; what arrives meanwhile shows when it goes on
  let current = null;                      // the request in flight; a newer one replaces it

  // Makes `from` look like `to` and touches only what differs, so that focus, scroll and open details stay.
  function morph(from, to) {
    for (const { name, value } of [...to.attributes]) {
      if (name === "open" && from.tagName === "DETAILS") continue;
      if (from.getAttribute(name) !== value) from.setAttribute(name, value);
    }
    for (const { name } of [...from.attributes]) {
      if (!to.hasAttribute(name) && name !== "hidden" && !(name === "open" && from.tagName === "DETAILS")) from.removeAttribute(name);
    }
    if (from.tagName === "INPUT" || from.tagName === "SELECT") {
      if (document.activeElement !== from) {
        if (from.type === "checkbox") from.checked = to.hasAttribute("checked");
        else if (from.tagName === "INPUT") from.value = to.getAttribute("value") ?? "";
      }
    }
    const keyed = new Map();
    for (const child of from.children) if (child.id) keyed.set(child.id, child);
    let place = from.firstChild;
    for (const wanted of [...to.childNodes]) {
      let match = wanted.id ? keyed.get(wanted.id) : null;
      if (!match && place && place.nodeType === wanted.nodeType && !place.id && !wanted.id && place.nodeName === wanted.nodeName) match = place;
      if (!match) { from.insertBefore(wanted, place); continue; }
      if (match !== place) from.insertBefore(match, place); else place = place.nextSibling;
      if (wanted.nodeType !== 1) { if (match.nodeValue !== wanted.nodeValue) match.nodeValue = wanted.nodeValue; }
      else if (match.nodeName !== wanted.nodeName) match.replaceWith(wanted);
      else if (!match.hasAttribute("data-keep")) morph(match, wanted);
    }
    while (place) { const next = place.nextSibling; place.remove(); place = next; }
  }

  async function show(url, push) {
    current?.abort();
    const request = current = new AbortController();
    try { await load(url, push, request); }
    finally {
      if (current === request) {
        current = null;
        if (stale) { stale = false; refresh(); }
      }
    }
  }

  async function load(url, push, request) {
    let response;
    try { response = await fetch(url, { headers: { "X-Fragment": "1" }, signal: request.signal }); }
    catch { return; }                      // replaced by a newer request, or the host is away: the stream says when it is back
    if (response.status === 401) { location.href = "/login?returnUrl=" + encodeURIComponent(url); return; }
    if (!response.headers.has("X-Topics")) { if (push) location.href = url; return; }
    const text = await response.text().catch(() => null);
    if (text === null || request.signal.aborted) return;
    const next = document.createElement("main");
    next.innerHTML = text;
    for (const attribute of main.attributes) next.setAttribute(attribute.name, attribute.value);
    next.dataset.topics = response.headers.get("X-Topics");
    morph(main, next);
    document.title = decodeURIComponent(response.headers.get("X-Title") ?? document.title);
    if (response.redirected) url = response.url.slice(location.origin.length);
    if (push) history.pushState(null, "", url);
    after();
  }

  const here = () => location.pathname + location.search;
  // Never overtakes a request on its way: what the user asked for would be lost, and under constant change nothing would ever arrive.
  let stale = false;
  function refresh() {
    if (document.hidden || paused) return;
    if (current) stale = true; else show(here(), false);
  }
  function after() { applyCollapse(); startConsole(); }

  // Live
  const live = document.getElementById("live");
  const mark = on => { live.classList.toggle("off", !on); live.lastElementChild.textContent = !on ? "Reconnecting" : paused ? "Paused" : "Live"; };
  let events = null, wasDown = false;
  function listen() {
    events = new EventSource("/live");
    events.onopen = () => { mark(true); if (wasDown) refresh(); wasDown = false; };
    events.onerror = () => { mark(false); wasDown = true; };
    events.addEventListener("changed", e => {
      const topics = (main.dataset.topics ?? "").split(" ");
      if (e.data.split(" ").some(topic => topic && topics.includes(topic)) && !hovering) refresh();
    });
  }
  // A browser opens six connections to a host: tabs that nobody looks at must not hold one.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { events?.close(); events = null; }
    else if (!events) { listen(); show(here(), false); }
  });
  addEventListener("popstate", () => show(here(), false));

  // Pause, theme, help
  const pauseButton = document.getElementById("pause");
  function pause(on) {
    paused = on;
    pauseButton.setAttribute("aria-pressed", String(on));
    live.classList.toggle("paused", on);
    mark(events?.readyState === EventSource.OPEN);
    if (on) { stream?.close(); stream = null; }
    else { streamed = null; show(here(), false); }
  }
  pauseButton.addEventListener("click", () => pause(!paused));
  document.getElementById("theme").addEventListener("click", () => {
    const root = document.documentElement, next = { undefined: "light", light: "dark", dark: undefined }[root.dataset.theme];
    if (next) root.dataset.theme = next; else delete root.dataset.theme;
    document.cookie = "theme=" + (next ?? "system") + ";path=/;max-age=31536000;samesite=lax";
    toast("Theme: " + (next ?? "as the system"), false);
  });
  const help = () => document.getElementById("keys").showModal();
  document.getElementById("help").addEventListener("click", help);

  // Links, rows, forms
  document.addEventListener("click", e => {
    if (e.defaultPrevented || e.button !== 0 || e.metaKey || e.ctrlKey || e.shiftKey) return;
    const twist = e.target.closest("[data-twist]");
    if (twist) {
      const id = twist.closest(".row").id;
      if (!collapsed.delete(id)) collapsed.add(id);
      applyCollapse();
      return;
    }
    const reveal = e.target.closest("[data-reveal]");
    if (reveal) {
      fetch(reveal.dataset.reveal).then(r => r.ok ? r.text() : null).then(value => {
        if (value !== null) { reveal.previousElementSibling.textContent = value; reveal.remove(); }
      });
      return;
    }
    if (e.target.closest("[data-clear-console]")) { document.getElementById("console")?.replaceChildren(); return; }
    const link = e.target.closest("a[data-swap]");
    if (link) { e.preventDefault(); show(link.getAttribute("href"), true); return; }
    const row = e.target.closest("tr[data-href]");
    if (row && !e.target.closest("a, button") && !String(getSelection())) location.href = row.dataset.href;
  });

  let typing = 0;
  function submit(form) {
    const query = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== "")).toString();
    show(form.getAttribute("action") + (query ? "?" + query : ""), true);
  }
  document.addEventListener("input", e => {
    if (e.target.type !== "search" || !e.target.form?.hasAttribute("data-auto")) return;
    clearTimeout(typing);
    typing = setTimeout(() => submit(e.target.form), 180);
  });
  document.addEventListener("change", e => {
    const form = e.target.form;
    if (e.target.type !== "search" && form?.hasAttribute("data-auto")) submit(form);
    if (form?.hasAttribute("data-console")) {
      if (e.target.name === "name") location.href = e.target.value ? "/consolelogs/resource/" + encodeURIComponent(e.target.value) : "/consolelogs";
      if (e.target.id === "wrap") document.getElementById("console")?.classList.toggle("wrap", e.target.checked);
      if (e.target.id === "follow" && e.target.checked) toEnd();
    }
  });
  document.addEventListener("submit", async e => {
    const form = e.target;
    if (form.hasAttribute("data-auto")) { e.preventDefault(); submit(form); return; }
    if (form.hasAttribute("data-query")) { e.preventDefault(); document.activeElement?.blur(); submit(form); form.reset(); return; }
    if (!form.classList.contains("command")) return;
    e.preventDefault();
    if (form.dataset.confirm && !confirm(form.dataset.confirm)) return;
    const button = form.querySelector("button");
    button.disabled = true;
    const name = button.textContent;
    try {
      const response = await fetch(form.action, { method: "POST", headers: { Accept: "application/json" } });
      const outcome = await response.json();
      toast(outcome.message ?? (outcome.succeeded ? name + " done" : name + " failed"), !outcome.succeeded);
    } catch { toast(name + " could not be sent", true); }
    finally { button.disabled = false; }
  });
  function toast(text, bad) {
    const box = document.createElement("div");
    box.className = bad ? "toast bad" : "toast";
    box.textContent = text;
    document.getElementById("toasts").append(box);
    setTimeout(() => box.remove(), bad ? 8000 : 4000);
  }

  // Waterfall
  function applyCollapse() {
    let until = -1;
    for (const row of document.querySelectorAll(".rows > .row")) {
      const depth = Number(row.dataset.depth);
      if (until >= 0 && depth <= until) until = -1;
      row.hidden = until >= 0;
      const closed = collapsed.has(row.id);
      row.querySelector("[data-twist]")?.setAttribute("aria-expanded", String(!closed));
      if (closed && until < 0) until = depth;
    }
  }

  // Keys
  addEventListener("keydown", e => {
    if (e.metaKey || e.ctrlKey || e.altKey) return;
    const field = e.target.closest?.("input, select, textarea");
    if (e.key === "Escape") {
      if (field) field.blur(); else document.querySelector("a[data-close]")?.click();
      return;
    }
    if (field) return;
    if (e.key === "/") { const box = document.querySelector("[data-slash]"); if (box) { e.preventDefault(); box.focus(); box.select(); } return; }
    if (e.key === "j" || e.key === "k" || e.key === "ArrowDown" || e.key === "ArrowUp") {
      const links = [...document.querySelectorAll(".rows > .row:not([hidden]) .label a, .list tbody td.name a, .list tbody td.message a")];
      const at = links.indexOf(document.activeElement);
      if (!links.length || (at < 0 && e.key.startsWith("Arrow"))) return;
      e.preventDefault();
      links[Math.max(0, Math.min(links.length - 1, at + (e.key === "j" || e.key === "ArrowDown" ? 1 : -1)))].focus();
      return;
    }
    if ((e.key === "ArrowLeft" || e.key === "ArrowRight") && document.activeElement?.closest(".row")) {
      const row = document.activeElement.closest(".row");
      if (e.key === "ArrowLeft") collapsed.add(row.id); else collapsed.delete(row.id);
      applyCollapse();
      return;
    }
    if (e.key === "p") { pause(!paused); return; }
    if (e.key === "?") { help(); return; }
    if (e.key === "f") {
      const add = document.getElementById("add-filter");
      if (add) { e.preventDefault(); add.open = true; document.getElementById("filter-field").focus(); }
      return;
    }
    const page = document.querySelector(`.rail nav a[data-key="${CSS.escape(e.key.toUpperCase())}"]`);
    if (page) location.href = page.href;
  });

  // Console
  let stream = null, streamed = null;
  const MaxLines = 5000;
  const toEnd = () => { const box = document.getElementById("console"); if (box) box.scrollTop = box.scrollHeight; };
  function startConsole() {
    const box = document.getElementById("console");
    if (box === streamed) return;
    stream?.close();
    streamed = box;
    if (!box || paused) return;
    stream = new EventSource(box.dataset.stream);
    stream.onopen = () => box.replaceChildren();           // a reconnection begins again with what is remembered
    stream.onmessage = e => {
      box.insertAdjacentHTML("beforeend", e.data);
      while (box.childElementCount > MaxLines) box.firstElementChild.remove();
      if (document.getElementById("follow")?.checked) toEnd();
    };
    box.addEventListener("wheel", e => {
      const follow = document.getElementById("follow");
      if (!follow) return;
      if (e.deltaY < 0) follow.checked = false;
      else if (box.scrollTop + box.clientHeight >= box.scrollHeight - 40) follow.checked = true;
    }, { passive: true });
  }

  // Charts: the values under the pointer. The page is not refreshed beneath it.
  let hovering = false;
  document.addEventListener("pointermove", e => {
    const chart = e.target.closest?.(".chart");
    if (!chart) { if (hovering) { hovering = false; document.querySelectorAll(".tip, .plot .cursor").forEach(x => x.remove()); } return; }
    hovering = true;
    const plot = chart.querySelector(".plot"), box = plot.getBoundingClientRect();
    const data = JSON.parse(chart.dataset.chart), count = data.times.length;
    if (!count) return;
    const share = Math.max(0, Math.min(1, (e.clientX - box.left) / box.width)), i = Math.round(share * (count - 1));
    let tip = chart.querySelector(".tip");
    if (!tip) chart.append(tip = Object.assign(document.createElement("div"), { className: "tip" }));
    tip.replaceChildren(Object.assign(document.createElement("div"), { className: "note", textContent: data.times[i] }), ...data.series.filter(s => s.values[i] !== null).map(s => {
      const line = document.createElement("div"), dot = document.createElement("i"), value = document.createElement("b");
      dot.className = "dot " + s.colour;
      value.textContent = s.values[i];
      line.append(dot, s.name, value);
      return line;
    }));
    const x = i / Math.max(1, count - 1) * box.width + (box.left - chart.getBoundingClientRect().left);
    tip.style.left = (share > .6 ? x - tip.offsetWidth - 14 : x + 14) + "px";
    let cursor = plot.querySelector(".cursor");
    if (!cursor) { cursor = document.createElementNS("http://www.w3.org/2000/svg", "line"); cursor.setAttribute("class", "cursor"); cursor.setAttribute("y1", "0"); cursor.setAttribute("y2", "100%"); plot.append(cursor); }
    cursor.setAttribute("x1", i / Math.max(1, count - 1) * 100 + "%");
    cursor.setAttribute("x2", i / Math.max(1, count - 1) * 100 + "%");
  });

  if (!document.hidden) listen();
  after();
})();
