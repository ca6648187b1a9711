import assert from 'node:assert/strict';
import { test } from 'node:test';
import { markRanges, type Highlights } from './mark-ranges.ts';

test('what a search matched is marked where it stands in the whole text, and all of the text is shown', () => {
  const message = 'refused: card and\u001b[31m CARD, 卡';
  const pieces: Highlights[string] = [
    { at: 0, fragment: 'refused: card', ranges: [[0, 7]] },
    {
      at: 9,
      fragment: 'card and\u001b[31m CARD',
      ranges: [
        [0, 4],
        [14, 18],
      ],
    },
  ];
  const visible = (part: string): string => part.replaceAll('\u001b', '\\x1b');
  const shown = markRanges(message, pieces, (part) => `<${visible(part)}>`, visible);
  assert.equal(shown, '<refused>: <card> and\\x1b[31m <CARD>, 卡');
  assert.equal(markRanges(message, [], String, String), message);
});
