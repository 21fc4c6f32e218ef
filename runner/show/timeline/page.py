"""The style and the script of the HTML page: how a timeline looks in a browser, and how it is moved about in."""

from __future__ import annotations

from typing import Final

LINE_HEIGHT: Final = 24
"""Pixels from one unit to the next."""

STYLE: Final = """\
*{box-sizing:border-box}
html,body{height:100%;margin:0}
body{display:flex;flex-direction:column;background:var(--page);color:var(--ink);font:13px/1.4 system-ui,sans-serif}
header{padding:14px 16px 8px}
h1{font-size:18px;margin:0} header p{margin:2px 0 10px;color:var(--muted)}
form{display:flex;gap:8px;align-items:center;flex-wrap:wrap}
input,button{font:inherit;color:inherit;background:var(--band);border:1px solid var(--grid);border-radius:5px;padding:3px 9px}
input{width:17em} form button{min-width:2.2em;cursor:pointer} output{color:var(--muted);margin-right:auto}
:focus-visible{outline:2px solid var(--running);outline-offset:-2px}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;list-style:none;margin:10px 0 0;padding:0}
.legend li{display:flex;align-items:center;gap:7px} .legend li>i{position:relative;width:26px;height:24px}
main{flex:1;overflow:auto;min-height:0;border-top:1px solid var(--grid)}
#sheet{--lane:calc(100% - var(--names) - var(--tail));position:relative;
 width:calc(var(--names) + var(--tail) + var(--lane)*var(--zoom,1))}
.line,.axis{display:grid;grid-template-columns:var(--names) 1fr var(--tail);height:24px}
.axis{position:sticky;top:0;z-index:3;background:var(--page);border-bottom:1px solid var(--grid)}
.axis div,.lane{position:relative;margin-right:8px}
.axis span{position:absolute;top:3px;padding-left:4px;font-size:11px;color:var(--muted);
 border-left:1px solid var(--grid);white-space:nowrap}
.axis .last{transform:translateX(-100%);padding:0 4px 0 0;border-width:0 1px 0 0;border-right-style:solid}
.axis b,.axis em,.name,.tail{position:sticky;z-index:2;background:var(--page)} .axis b,.name{left:0} .axis em,.tail{right:0}
:nth-child(even of .line:not([hidden])){&,.name,.tail{background:var(--band)}}
.line:hover>.name,.line:hover>.tail,.name:focus{color:var(--running)}
.name{all:unset;position:sticky;left:0;z-index:2;box-sizing:border-box;
 padding:2px 10px 0 16px;overflow:hidden;white-space:nowrap;text-overflow:ellipsis;
 direction:rtl;text-align:left;cursor:default;background:var(--page)}
.name bdi{direction:ltr;unicode-bidi:isolate}
.on-path>.name{color:var(--critical);font-weight:600}
.tail{padding:2px 16px 0 8px;white-space:nowrap;font-variant-numeric:tabular-nums} .bad>.tail{color:var(--failed)}
.lane{background:linear-gradient(to right,var(--grid) 1px,transparent 1px) 0/var(--step,100%) 100%}
.bar,.stretch{position:absolute;min-width:1.5px;width:100%}
.bar{height:var(--h);top:calc(12px - var(--h)/2)} .bar::after{content:"";position:absolute;inset:calc(var(--h)/2 - 12px) 0}
.waiting,.backoff{--h:2px} .lock-wait,.job-wait,.ready{--h:8px} .running,.not-ready{--h:14px} .stopping{--h:10px}
.waiting{background:var(--waiting)} .running{background:var(--running)} .ready{background:var(--ready)}
.stopping{background:var(--stopping)}
.backoff{background:repeating-linear-gradient(90deg,var(--backoff) 0 4px,transparent 4px 7px)}
.lock-wait{--c:var(--lock-wait);--turn:-45deg} .job-wait{--c:var(--job-wait);--turn:45deg}
.not-ready{--c:var(--not-ready);--turn:-45deg}
.lock-wait,.job-wait,.not-ready{background:repeating-linear-gradient(var(--turn),var(--c) 0 2.5px,transparent 2.5px 5px),
 color-mix(in srgb,var(--c) 25%,transparent)}
.bar.failed{background:var(--failed)}
.stretch{top:3px;height:18px;border:2px solid var(--critical);border-radius:3px;pointer-events:none}
#links{position:absolute;top:24px;left:var(--names);right:calc(var(--tail) + 8px);pointer-events:none}
#links i{position:absolute;border:0 solid var(--critical);border-right-width:2px;transform:translateX(-1px)}
#links .later{border-top-width:2px} #links .up.later{border-top-width:0;border-bottom-width:2px}
#links i::after{content:"";position:absolute;right:-5px;bottom:-1px;border:4px solid transparent;
 border-top:7px solid var(--critical);border-bottom:0}
#links .up::after{bottom:auto;top:-1px;border-top:0;border-bottom:7px solid var(--critical)}
.filtered #links{display:none}
#tip{position:fixed;z-index:9;max-width:min(46em,90vw);max-height:70vh;overflow:hidden;padding:10px 14px;pointer-events:none;
 background:var(--page);border:1px solid var(--grid);border-radius:8px;box-shadow:0 6px 24px #0004;overflow-wrap:anywhere}
#tip h2{font-size:14px;margin:0 0 4px} #tip dl{display:grid;grid-template-columns:auto 1fr;gap:1px 12px;margin:0 0 6px}
#tip dt,#tip .time{color:var(--muted)} #tip dd{margin:0} #tip table{border-collapse:collapse} #tip td{padding:1px 14px 1px 0}
#tip td:not(:first-child){white-space:nowrap;text-align:right;font-variant-numeric:tabular-nums;vertical-align:top}
#tip tr.this{background:color-mix(in srgb,var(--running) 18%,transparent);font-weight:600}
[hidden]{display:none!important}
"""

SCRIPT: Final = """\
"use strict";
const $ = (id) => document.getElementById(id);
const [main, sheet, axis, tip, filter] = [document.querySelector("main"), $("sheet"), $("axis"), $("tip"), $("filter")];
const lines = [...document.querySelectorAll(".line")];
const end = Number(sheet.dataset.end), steps = JSON.parse(sheet.dataset.steps);
const LARGEST = 256;
let zoom = 1;

function say(seconds) {
  if (!seconds) return "0";
  if (seconds < 1) return Math.round(seconds * 1000) + " ms";
  const parts = [[Math.floor(seconds / 3600), "h"], [Math.floor(seconds / 60) % 60, "min"], [+(seconds % 60).toFixed(3), "s"]];
  return parts.filter(([count]) => count).map(([count, unit]) => `${count} ${unit}`).join(" ");
}

function drawAxis() {
  const most = Math.max(1, axis.clientWidth / 90);
  const step = steps.find((step) => end / step <= most) ?? steps.at(-1) * Math.ceil(end / most / steps.at(-1));
  sheet.style.setProperty("--step", `${step / end * 100}%`);
  axis.replaceChildren(...Array.from({length: Math.floor(end / step) + 1}, (_, number) => {
    const mark = document.createElement("span");
    mark.textContent = say(step * number);
    mark.style.left = `${step * number / end * 100}%`;
    mark.classList.toggle("last", (1 - step * number / end) * axis.clientWidth < 50);
    return mark;
  }));
}

function setZoom(wanted, x = main.clientWidth / 2) {
  const before = axis.getBoundingClientRect(), place = (main.getBoundingClientRect().left + x - before.left) / before.width;
  zoom = Math.min(LARGEST, Math.max(1, wanted));
  sheet.style.setProperty("--zoom", zoom);
  const after = axis.getBoundingClientRect();
  main.scrollLeft += after.left + place * after.width - main.getBoundingClientRect().left - x;
  drawAxis();
}

function showTip(line, number, x, y) {
  tip.replaceChildren(line.querySelector("template").content.cloneNode(true));
  tip.hidden = false;
  const told = tip.querySelectorAll("tr")[number];
  if (told) {
    told.classList.add("this");
    told.scrollIntoView({block: "nearest"});
  }
  const box = tip.getBoundingClientRect();
  tip.style.left = `${Math.max(8, Math.min(x + 14, innerWidth - box.width - 8))}px`;
  tip.style.top = `${y + 18 + box.height < innerHeight ? y + 18 : Math.max(8, y - box.height - 14)}px`;
}

function hideTip() {
  tip.hidden = true;
}

function applyFilter() {
  const words = filter.value.toLowerCase().split(" ");
  for (const line of lines) line.hidden = !words.every((word) => line.dataset.find.includes(word));
  const shown = lines.filter((line) => !line.hidden);
  sheet.classList.toggle("filtered", shown.length < lines.length);
  $("count").textContent = shown.length < lines.length ? `${shown.length} of ${lines.length}` : "";
  for (const line of lines) line.firstElementChild.tabIndex = line === shown[0] ? 0 : -1;
}

function moveFocus(line, key) {
  const shown = lines.filter((line) => !line.hidden), last = shown.length - 1, at = shown.indexOf(line);
  const next = {ArrowDown: Math.min(at + 1, last), ArrowUp: Math.max(at - 1, 0), Home: 0, End: last}[key];
  if (next === undefined) return false;
  shown[next].firstElementChild.focus();
  return true;
}

function pressKey(event) {
  const line = event.target.closest(".line");
  if (event.key === "Escape") hideTip();
  if (event.target === filter || event.ctrlKey || event.metaKey || event.altKey) return;
  const zooms = {"+": zoom * 2, "=": zoom * 2, "-": zoom / 2, "0": 1};
  if (line && moveFocus(line, event.key)) event.preventDefault();
  else if (event.key in zooms) setZoom(zooms[event.key]);
  else if (event.key === "/") {
    event.preventDefault();
    filter.focus();
  }
}

main.addEventListener("pointermove", (event) => {
  const line = event.target.closest(".line");
  const number = event.target.dataset.phase;
  if (line) showTip(line, number === undefined ? -1 : Number(number), event.clientX, event.clientY);
  else hideTip();
});
main.addEventListener("pointerleave", hideTip);
main.addEventListener("scroll", hideTip);
main.addEventListener("focusin", (event) => {
  const line = event.target.closest(".line"), box = event.target.getBoundingClientRect();
  if (line && event.target.matches(":focus-visible")) showTip(line, -1, box.left, box.bottom - 18);
});
main.addEventListener("focusout", hideTip);
main.addEventListener("wheel", (event) => {
  if (!event.ctrlKey) return;
  event.preventDefault();
  setZoom(zoom * (event.deltaY < 0 ? 1.25 : 0.8), event.clientX - main.getBoundingClientRect().left);
}, {passive: false});
addEventListener("keydown", pressKey);
addEventListener("resize", drawAxis);
filter.addEventListener("input", applyFilter);
$("larger").addEventListener("click", () => setZoom(zoom * 2));
$("smaller").addEventListener("click", () => setZoom(zoom / 2));
$("fit").addEventListener("click", () => setZoom(1));
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
applyFilter();
drawAxis();
"""
