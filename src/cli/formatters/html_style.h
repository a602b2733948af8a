// The style sheet of reports: light, dark and paper.
#pragma once

#include <string_view>

namespace lbrx {

// Neither < nor & may stand in it: the page is XML too.
inline constexpr std::string_view kHtmlStyle = R"css(
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --card: #ffffff; --ink: #16202c; --soft: #5b6776; --line: #dfe4ea;
  --none: #eef1f4; --before: #8d99a8; --after: #2563c9; --error: #c2410c; --good: #0f766e;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0e131a; --card: #161d27; --ink: #e7ecf2; --soft: #97a4b4; --line: #29333f;
    --none: #1f2833; --before: #8995a5; --after: #6ea8ff; --error: #fb9a5b; --good: #4fd1b8;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--page); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif;
  font-variant-numeric: tabular-nums;
}
main { max-width: 1200px; margin: 0 auto; padding: 40px 24px 24px; }
h1 { font-size: 30px; line-height: 1.2; letter-spacing: -0.02em; margin: 0 0 6px; }
h2 { font-size: 19px; letter-spacing: -0.01em; margin: 40px 0 4px; }
h3 { font-size: 14px; font-weight: 600; margin: 0 0 10px; }
p { margin: 0 0 12px; }
.soft, figcaption { color: var(--soft); }
.lead { color: var(--soft); max-width: 760px; }
.path, code, td.n, .kind { font-family: var(--mono); font-size: 13px; overflow-wrap: anywhere; }
pre { margin: 18px 0 0; padding: 12px 14px; border: 1px solid var(--line); border-radius: 8px;
  background: var(--card); white-space: pre-wrap; overflow-wrap: anywhere; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(210px, 1fr)); gap: 14px;
  margin: 22px 0 0; }
.tile, .card { background: var(--card); border: 1px solid var(--line); border-radius: 12px; }
.tile { padding: 14px 16px; }
.tile b { display: block; font-size: 21px; line-height: 1.3; letter-spacing: -0.02em;
  overflow-wrap: anywhere; }
.tile b small { font-size: 14px; font-weight: 500; color: var(--soft); letter-spacing: 0; }
.tile span { font-size: 13px; color: var(--soft); }
.cards { display: flex; flex-wrap: wrap; gap: 14px; margin-top: 12px; }
.card { padding: 16px 18px; margin: 0; flex: 1 1 0; min-width: min(100%, 340px); }
.cards .card { flex: 1 1 calc(50% - 7px); }
.cards .card.wide { flex-basis: 100%; }
.share + .key:last-child { margin-bottom: 0; }
.small { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 350px), 1fr));
  gap: 14px; margin-top: 12px; }
figure h3 { overflow-wrap: anywhere; }
figcaption { font-size: 13px; margin-top: 8px; }
svg { display: block; max-width: 100%; height: auto; }
svg text { font: 12px var(--mono); fill: var(--soft); }
svg .in { font-size: 11px; }
svg .empty { fill: var(--none); }
svg .axis { stroke: var(--line); fill: none; }
svg .b { fill: var(--before); fill-opacity: 0.45; stroke: none; }
svg .a { fill: none; stroke: var(--after); stroke-width: 1.5; }
svg .one { fill: var(--after); fill-opacity: 0.75; stroke: none; }
svg .e { fill: var(--error); fill-opacity: 0.8; stroke: none; }
.key { display: flex; flex-wrap: wrap; gap: 4px 18px; font-size: 13px; color: var(--soft); }
.key i, td i { display: inline-block; width: 10px; height: 10px; border-radius: 2px;
  margin-right: 6px; }
.share { display: flex; height: 26px; border-radius: 6px; overflow: hidden; margin: 4px 0 8px;
  background: var(--none); }
.share i { display: block; min-width: 1px; }
.share + .key { margin-bottom: 14px; }
.scroll { overflow-x: auto; margin-top: 12px; padding: 0 0 4px; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { padding: 5px 10px; text-align: left; white-space: nowrap; vertical-align: middle; }
thead th { color: var(--soft); font-weight: 600; border-bottom: 1px solid var(--line);
  padding-top: 12px; }
tbody th { padding: 14px 10px 5px; font-weight: 600; }
tbody th span { font-weight: 400; color: var(--soft); margin-left: 8px; }
td { border-top: 1px solid var(--line); }
td.r, th.r { text-align: right; }
td.n { white-space: normal; min-width: 220px; }
footer { color: var(--soft); font-size: 13px; margin: 36px 0 0; padding-top: 14px;
  border-top: 1px solid var(--line); }
@media print {
  :root { --page: #ffffff; --card: #ffffff; --ink: #000000; --soft: #444444; --line: #cccccc;
    --none: #eeeeee; --before: #8d99a8; --after: #2563c9; --error: #c2410c; }
  body { font-size: 11px; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  main { max-width: none; padding: 0; }
  .tile, .card, tr { break-inside: avoid; }
  h2, thead { break-after: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 9px; }
  th, td { padding: 2px 4px; }
}
)css";

}  // namespace lbrx
