/** The style sheet of the page: dark where the reader's system is, never on paper; lines of charts by dash as well as by color. */
export const pageStyle = `
:root { color-scheme: light dark; --page: #ffffff; --text: #1b1f24; --dim: #57606a; --edge: #d0d7de; --panel: #f6f8fa;
  --good: #116329; --bad: #a40e26; --open: #7a4d00; --line-0: #0a53a8; --line-1: #b34700; --line-2: #0b6b3a; --line-3: #8a1c7c; }
@media screen and (prefers-color-scheme: dark) { :root { --page: #0d1117; --text: #e6edf3; --dim: #9da7b3; --edge: #30363d; --panel: #161b22;
  --good: #56d364; --bad: #ff8d86; --open: #e3b341; --line-0: #79c0ff; --line-1: #ffa657; --line-2: #7ee787; --line-3: #f0a6e8; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 1080px; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 26px; } h2 { margin: 36px 0 8px; font-size: 20px; } h3 { margin: 24px 0 6px; font-size: 16px; }
.dim, figcaption, caption { color: var(--dim); }
.verdict { margin: 20px 0; padding: 18px 22px; border: 2px solid var(--edge); border-left-width: 10px; border-radius: 8px; background: var(--panel); }
.verdict strong { font-size: 30px; line-height: 1.2; } .verdict p { margin: 6px 0 0; }
.ready { border-color: var(--good); } .not-ready { border-color: var(--bad); border-style: double; } .not-shown { border-color: var(--open); border-style: dashed; }
.ready strong { color: var(--good); } .not-ready strong { color: var(--bad); } .not-shown strong { color: var(--open); }
.grade { float: right; font-size: 18px; }
.summary { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 0 32px; }
li { margin: 4px 0; overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 480px), 1fr)); gap: 20px; }
figure { margin: 0; padding: 12px; border: 1px solid var(--edge); border-radius: 8px; break-inside: avoid; min-width: 0; }
figure h3 { margin: 0 0 4px; } figcaption { font-size: 13px; }
.chart { display: block; width: 100%; height: auto; font: 12px system-ui, sans-serif; } .chart text { fill: var(--text); }
.grid { stroke: var(--edge); } .stage { stroke: var(--dim); stroke-dasharray: 2 4; } .chart .stage-name { fill: var(--dim); }
.hatch { stroke: var(--dim); stroke-width: 2; opacity: 0.55; } .fault { stroke: var(--dim); } .chart .fault-name { font-weight: 600; }
.line { fill: none; stroke-width: 2; stroke-linejoin: round; } .leader { fill: none; stroke-width: 1; opacity: 0.6; }
.line-0 { stroke: var(--line-0); } .line-1 { stroke: var(--line-1); } .line-2 { stroke: var(--line-2); } .line-3 { stroke: var(--line-3); }
.line-1 .line { stroke-dasharray: 8 4; } .line-2 .line { stroke-dasharray: 2 3; } .line-3 .line { stroke-dasharray: 10 3 2 3; }
.symptom { fill: var(--panel); stroke: var(--text); stroke-width: 1.4; } .link { fill: none; stroke: var(--text); stroke-width: 1.2; stroke-dasharray: 4 3; }
.link.beyond { stroke-width: 2.6; stroke-dasharray: none; } .head { fill: var(--text); }
.marker { fill: var(--page); stroke-width: 1.6; } .chart g[class^="line-"] text { stroke: none; }
.table { overflow-x: auto; margin: 10px 0; } table { border-collapse: collapse; font-size: 13.5px; font-variant-numeric: tabular-nums; }
caption { padding: 4px 0; text-align: left; font-size: 13px; white-space: nowrap; }
th, td { padding: 5px 10px; border: 1px solid var(--edge); text-align: left; vertical-align: top; overflow-wrap: break-word; }
th { background: var(--panel); } td.number { text-align: right; white-space: nowrap; }
summary { cursor: pointer; font-weight: 600; margin: 12px 0; }
@media print { @page { size: A4; margin: 14mm; } body { padding: 0; max-width: none; font-size: 11px; } table { font-size: 9.5px; } th, td { padding: 3px 5px; }
  h1 { font-size: 20px; } h2 { font-size: 15px; margin-top: 18px; } h3 { font-size: 12.5px; margin-top: 14px; } figcaption, caption { font-size: 9.5px; }
  h2, h3, caption { break-after: avoid; } tr, .verdict { break-inside: avoid; } .charts { grid-template-columns: 1fr 1fr; gap: 10px; } .table { overflow: visible; }
  details { display: none; } }
`;
