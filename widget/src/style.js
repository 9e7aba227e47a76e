// The look: calm, readable in light and dark, one hand on a phone.

export const STYLE = `
:host { all: initial; color-scheme: light dark; }
.root {
  --surface: #fff; --sunken: #eef2f1; --ink: #16211f; --quiet: #55645f; --line: #d8e0de; --edge: #7d8b87;
  --accent: #0f766e; --fill: #0f766e; --bad: #b42318; --bad-ground: #fee4e2;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang TC", "PingFang SC", "Microsoft JhengHei", "Microsoft YaHei", "Noto Sans CJK TC", "Noto Sans CJK SC", sans-serif;
  color: var(--ink);
}
@media (prefers-color-scheme: dark) {
  .root {
    --surface: #16201e; --sunken: #24312e; --ink: #e6efed; --quiet: #a3b5b0; --line: #34433f; --edge: #84958f;
    --accent: #2dd4bf; --fill: #0d746b; --bad: #fda29b; --bad-ground: #41201d;
  }
}
*, *::before, *::after { box-sizing: border-box; }
[hidden] { display: none !important; }
h2, p, ul { margin: 0; padding: 0; }
button, textarea { font: inherit; color: inherit; }
button { cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
svg { width: 24px; height: 24px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; display: block; }
.heard { position: absolute; width: 1px; height: 1px; margin: -1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }

.launch { position: fixed; right: 20px; bottom: 20px; z-index: 2147483000; display: grid; place-items: center; width: 56px; height: 56px; border: 1px solid transparent; border-radius: 50%; background: var(--fill); color: #fff; box-shadow: 0 4px 20px rgb(0 0 0 / 25%); }
.launch:focus-visible { outline-offset: 3px; }
.dot { position: absolute; top: 2px; right: 2px; width: 14px; height: 14px; border: 2px solid var(--surface); border-radius: 50%; background: var(--bad); }

.panel { position: fixed; right: 20px; bottom: 92px; z-index: 2147483000; display: flex; flex-direction: column; width: 384px; max-width: calc(100vw - 40px); height: 620px; max-height: calc(100vh - 112px); border: 1px solid var(--line); border-radius: 18px; background: var(--surface); box-shadow: 0 12px 48px rgb(0 0 0 / 22%); overflow: hidden; }
header { display: flex; align-items: center; gap: 4px; padding: 10px 10px 10px 18px; background: var(--fill); color: #fff; }
h2 { flex: 1; font-size: 16px; font-weight: 620; line-height: 1.4; }
header button { display: grid; place-items: center; width: 40px; height: 40px; padding: 0; border: 1px solid transparent; border-radius: 10px; background: none; }
header svg { width: 20px; height: 20px; }
header button:hover { background: rgb(255 255 255 / 16%); }
header :focus-visible { outline-color: #fff; outline-offset: -3px; }

.log { flex: 1; min-height: 0; padding: 16px; overflow-y: auto; overscroll-behavior: contain; }
.log:focus-visible { outline-offset: -3px; }
.message { display: flex; flex-direction: column; align-items: flex-start; margin-bottom: 12px; }
.text { max-width: 86%; padding: 9px 14px; border-radius: 16px 16px 16px 4px; background: var(--sunken); white-space: pre-wrap; overflow-wrap: anywhere; line-break: strict; }
.text:empty { display: none; }
.user { align-items: flex-end; }
.user .text { border-radius: 16px 16px 4px 16px; background: var(--fill); color: #fff; }
.text a { color: inherit; text-underline-offset: .2em; }
.trouble .text { background: var(--bad-ground); color: var(--bad); }
.note { max-width: 86%; margin-top: 6px; padding: 8px 14px; border: 1px solid var(--accent); border-radius: 12px; font-size: 14px; }
.sources { max-width: 86%; margin-top: 6px; font-size: 13px; color: var(--quiet); }
.sources ul { list-style: none; margin-top: 2px; }
summary { display: list-item; min-height: 24px; padding: 1px 4px; border-radius: 6px; cursor: pointer; overflow-wrap: anywhere; }
summary:hover { color: var(--ink); }
.sources p { margin: 2px 0 8px; padding: 2px 0 2px 10px; border-left: 3px solid var(--line); white-space: pre-wrap; overflow-wrap: anywhere; max-height: 12em; overflow-y: auto; }
.quiet-button { min-height: 34px; padding: 4px 14px; border: 1px solid var(--edge); border-radius: 99px; background: var(--surface); text-align: start; }
.quiet-button:hover { border-color: var(--accent); background: var(--sunken); }
.trouble .quiet-button { margin-top: 8px; }
.tries { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 12px; }

.busy { display: flex; align-items: center; gap: 10px; min-height: 24px; color: var(--quiet); font-size: 14px; }
.busy i { display: flex; gap: 4px; }
.busy i::before, .busy i::after, .busy b { content: ""; width: 6px; height: 6px; border-radius: 50%; background: currentColor; }
form { display: flex; align-items: flex-end; gap: 8px; padding: 10px 12px; border-top: 1px solid var(--line); padding-bottom: max(10px, env(safe-area-inset-bottom)); }
textarea { flex: 1; min-width: 0; min-height: 42px; max-height: 132px; padding: 9px 14px; border: 1px solid var(--edge); border-radius: 14px; background: var(--surface); resize: none; }
textarea::placeholder { color: var(--quiet); opacity: 1; }
textarea:focus-visible { outline-offset: -1px; }
.send { display: grid; place-items: center; flex: none; width: 42px; height: 42px; padding: 0; border: 1px solid transparent; border-radius: 14px; background: var(--fill); color: #fff; }
.send svg { width: 20px; height: 20px; }
.send[aria-disabled=true] { background: var(--sunken); color: var(--quiet); cursor: default; }

@media (max-width: 480px), (max-height: 460px) {
  .panel { inset: 0; width: 100%; max-width: none; height: 100%; height: 100dvh; max-height: none; border: 0; border-radius: 0; }
  .open .launch { display: none; }
  textarea { font-size: 16px; }
}
@media (prefers-reduced-motion: no-preference) {
  .panel { animation: rise .18s ease-out; }
  .busy i::before, .busy i::after, .busy b { animation: breathe 1.2s infinite ease-in-out; }
  .busy b { animation-delay: .15s; }
  .busy i::after { animation-delay: .3s; }
}
@keyframes rise { from { opacity: 0; transform: translateY(12px); } }
@keyframes breathe { 0%, 60%, 100% { opacity: .35; } 30% { opacity: 1; } }
@media print { .root { display: none; } }
`;
