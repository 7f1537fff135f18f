/** How a report looks: light and dark by the reader's system, on paper and on a narrow screen too. */

export const REPORT_STYLE = `
:root { color-scheme: light dark; --text: #1c2330; --soft: #5c6675; --line: #dfe3e8; --page: #fff; --card: #f6f7f9;
  --c1: #1f6fd1; --c2: #c2570c; --right: #1f6fd1; --wrong: #c8321f; --on-strong: #fff; }
@media (prefers-color-scheme: dark) { :root { --text: #e4e8ee; --soft: #98a2b1; --line: #323a46; --page: #14181e;
  --card: #1b2129; --c1: #6aaeff; --c2: #f0a04b; --right: #4a93ea; --wrong: #ef6a55; --on-strong: #0d1116; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 32px 20px 64px; }
h1 { margin: 0; font-size: 26px; line-height: 1.25; overflow-wrap: anywhere; }
h2 { margin: 40px 0 12px; font-size: 18px; }
h3 { margin: 24px 0 8px; font-size: 15px; }
.beside h3 { margin-top: 0; }
p { margin: 4px 0; color: var(--soft); overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 12px; margin: 20px 0 0; padding: 0; list-style: none; }
.facts li { flex: 1 1 112px; padding: 10px 14px; background: var(--card); border-radius: 8px; color: var(--soft); font-size: 13px; }
.facts b { display: block; color: var(--text); font-size: 22px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(300px, 100%), 1fr)); gap: 16px; margin-top: 28px; }
figure { margin: 0; padding: 12px 14px 8px; background: var(--card); border-radius: 8px; }
figcaption { display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: baseline; font-size: 14px; }
figcaption span { color: var(--soft); font-size: 13px; }
figcaption span::before { content: ""; display: inline-block; width: 14px; height: 3px; margin-right: 6px; border-radius: 2px;
  vertical-align: middle; background: var(--c1); }
figcaption .c2::before { background: var(--c2); }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--text); font: 12px system-ui, sans-serif; font-variant-numeric: tabular-nums; }
svg .tick { fill: var(--soft); }
svg .axis { font-weight: 600; fill: var(--soft); }
svg .grid { stroke: var(--line); }
svg .mark { stroke: var(--soft); stroke-dasharray: 3 3; }
svg .curve { fill: none; stroke: var(--c1); stroke-width: 2; stroke-linejoin: round; stroke-linecap: round; }
svg .curve.c2 { stroke: var(--c2); }
svg .point { fill: var(--c1); }
svg .point.c2 { fill: var(--c2); }
svg .right { fill: var(--right); }
svg .wrong { fill: var(--wrong); }
svg .track { fill: var(--line); }
svg .frame { fill: none; stroke: var(--line); }
svg .strong { fill: var(--on-strong); }
.beside { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(420px, 100%), 1fr)); gap: 8px 40px; align-items: start; }
.wide { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 14px; }
th, td { padding: 4px 10px 4px 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { color: var(--soft); font-weight: 500; }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
td.bar { width: 34%; vertical-align: middle; }
td.bar svg { height: 8px; border-radius: 4px; }
.options td:first-child { width: 38%; color: var(--soft); }
.options td { font-variant-numeric: tabular-nums; }
details summary { padding: 6px 0; color: var(--soft); cursor: pointer; }
footer { margin-top: 48px; color: var(--soft); font-size: 13px; }
@media print { main { max-width: none; padding: 0; } figure, .facts li { border: 1px solid var(--line); } figure, tr { break-inside: avoid; } }
`.trim();
