// What the server sends is made of escaped text; the page has no other source.
const element = (id) => document.getElementById(id);
const events = new EventSource('/updates');
const pause = element('pause');
/** Screen readers are told so often: every second would never let them speak of anything else. */
const announceMs = 30_000;
let announcedAt = 0;
let isPaused = false;
let isOver = false;
let waiting;

function show({ status, share, figures, charts, incidents, verdict }) {
  element('status').textContent = status;
  element('progress').value = share;
  element('figures').innerHTML = figures;
  element('incidents').innerHTML = incidents;
  element('charts').innerHTML = charts;
  element('verdict').innerHTML = verdict;
  if (isOver) element('announcement').textContent = 'The run has ended.';
  else if (performance.now() - announcedAt >= announceMs) {
    announcedAt = performance.now();
    element('announcement').textContent = `At ${new Date().toLocaleTimeString()}: ${status}`;
  }
}

pause.addEventListener('click', () => {
  isPaused = !isPaused;
  pause.setAttribute('aria-pressed', String(isPaused));
  pause.textContent = isPaused ? 'Resume updates' : 'Pause updates';
  if (!isPaused && waiting !== undefined) show(waiting);
});

events.addEventListener('update', ({ data }) => {
  waiting = JSON.parse(data);
  isOver = waiting.verdict !== '';
  if (isOver) {
    events.close();
    pause.hidden = true;
  }
  if (!isPaused || isOver) show(waiting);
});

events.addEventListener('error', () => {
  if (!isOver)
    element('announcement').textContent = 'The load test does not respond. It may have been ended.';
});
events.addEventListener('open', () => {
  element('announcement').textContent = '';
});
