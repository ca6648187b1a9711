import assert from 'node:assert/strict';
import { test } from 'node:test';
import { correlationLine, eventLine } from './event-line.ts';

const event = {
  id: 'e',
  timestamp: '2026-11-27T12:00:00.000000Z',
  level: 'info',
  service: 'web',
  message: 'ok',
  attributes: {},
};

test('a message of several lines cannot forge an event: its further lines are set apart', () => {
  const shown = eventLine({ ...event, message: 'a\n2026-11-27T12:00:01.000 fatal pay   stolen\r\nb' });
  assert.deepEqual(shown.split('\n').slice(1), ['  │ 2026-11-27T12:00:01.000 fatal pay   stolen', '  │ b']);
});

test('fields other than the message stay on their line', () => {
  const forged = 'web\n2026-11-27 fatal \u202e\u009b2J';
  assert.match(eventLine({ ...event, service: forged }), /web\\n2026-11-27 fatal \\u202e\\u009b2J ok$/);
  const document = { id: 'd', lastAt: event.timestamp, durationMs: 1, eventCount: 1, errorCount: 0 };
  const line = correlationLine({ ...document, correlationId: forged, services: [forged] });
  assert.doesNotMatch(line, /[\u0000-\u001f\u007f-\u009f\u202e]/);
});

test('what a search matched is escaped too', () => {
  const highlights = {
    message: [{ at: 0, fragment: 'o', ranges: [[0, 1]] as [number, number][] }],
    'attributes.a\u001bb': [{ at: 0, fragment: 'x\ny\u200b', ranges: [[0, 1]] as [number, number][] }],
  };
  assert.match(eventLine(event, highlights), /ok {2}a\\u001bb=x\\ny\\u200b$/);
});
