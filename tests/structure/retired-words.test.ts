import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '../..');

interface RetiredWord {
  /** As docs/glossary.md lists it. */
  word: string;
  /** Chosen so that plain English, Kafka's words and names of the public interface (metrics, JSON fields, settings) are not hit. */
  pattern: RegExp;
  /** Only in files whose path begins so. */
  under?: string;
  /** Not in files whose path begins so. */
  except?: string;
}

const retired: readonly RetiredWord[] = [
  { word: 'door', pattern: /\b[Dd]oors?\b|[a-z]Doors?\b/ },
  { word: 'intake', pattern: /[Ii]ntake/ },
  { word: 'source watermark', pattern: /source.?watermark/i },
  { word: 'copy window', pattern: /copy.?window/i },
  {
    word: 'copy (of an event)',
    pattern:
      /\b(?:is|older|first|forget)Cop(?:y|ies)\b|\b(?:first|second|late|replayed) cop(?:y|ies) of\b|\bcop(?:y|ies) of (?:an|the|one) event/,
  },
  {
    word: 'holder',
    pattern: /\b[Hh]olders?\b|[a-z]Holder\b|\bholderOf\b/,
    // What a record of version 0.1 calls the principal of a saved filter.
    except: 'services/indexer/src/jobs/saved-filters',
  },
  { word: 'ladder', pattern: /[Ll]adder/ },
  { word: 'pressure', pattern: /\bpressure\b|Pressure/ },
  { word: 'gate', pattern: /\b[Gg]ates?\b|[a-z](?<!\bForti)Gate\b/ },
  { word: 'seat', pattern: /\b[Ss]eats?\b/ },
  { word: 'turn (of a request)', pattern: /FairQueue|byTurns|registerTurns/ },
  {
    word: 'Group',
    pattern: /\bGroup\b|\bgroups?\b(?=\.)|openGroups?\b|GroupRules/,
    under: 'services/correlator/src/',
  },
  { word: 'Batch', pattern: /\b(?:class|interface|type) Batch\b|@typedef .* Batch$/m },
  { word: 'Lane', pattern: /\b(?:class|interface|type) \w*Lane\b|\bLane\b/ },
  { word: 'WakeUp', pattern: /WakeUp|wakeUp|wake-up/ },
  {
    word: 'letter',
    pattern:
      /(?<![dD]ead)Letter(?:s|Sieve|Scan|Json)\b|PlacedLetter|\b(?:two claims on a|claimed|redriven|new) letters?\b/,
  },
  { word: 'stranger', pattern: /\b[Ss]trangers?\b/ },
  { word: 'alarm', pattern: /\b[Aa]larms?\b/ },
];

/** Where retired words may stand: where they are listed, and in what was said of earlier builds. */
const exempt = new Set([
  'docs/glossary.md',
  'CHANGELOG.md',
  'docs/upgrading.md',
  'tests/structure/retired-words.test.ts',
]);
const text = /\.(?:ts|js|mjs|py|java|md|json|ya?ml|avsc|proto|html|css|sh|conf|example)$|Dockerfile$/;

/** Released texts that never change, words of others, and names that npm chose. */
const notOurWords =
  /^(?:libs\/schemas\/versions\/|tests\/data\/|tests\/reading\/(?:cases\/|[a-z-]+\.ts$)|package-lock\.json$)/;

test('no retired word is left, in files and in their names', () => {
  const files = execFileSync('git', ['ls-files'], { cwd: root, encoding: 'utf8' }).trim().split('\n');
  const hits: string[] = [];
  for (const file of files) {
    if (exempt.has(file) || !text.test(file) || notOurWords.test(file)) continue;
    const lines = [file, ...readFileSync(join(root, file), 'utf8').split('\n')];
    for (const { word, pattern, under = '', except } of retired) {
      if (!file.startsWith(under) || (except !== undefined && file.startsWith(except))) continue;
      for (const [number, line] of lines.entries())
        if (pattern.test(line)) hits.push(`${file}:${number}: ${word}: ${line.trim().slice(0, 140)}`);
    }
  }
  assert.deepEqual(hits, []);
});

test('the patterns find what they are for', () => {
  const examples: Record<string, string> = {
    door: 'its door was interrupted',
    intake: 'class Intake {',
    'source watermark': 'new SourceWatermarks()',
    'copy window': 'const copyWindow = 1;',
    'copy (of an event)': 'a second copy of an event',
    holder: 'names the holder of a token',
    ladder: 'type LadderMode',
    pressure: 'under pressure',
    gate: 'new WriteGate()',
    seat: 'free seats',
    'turn (of a request)': 'new FairQueue()',
    Group: 'interface Group {',
    Batch: 'interface Batch {',
    Lane: 'class ProducerLane {',
    WakeUp: 'new WakeUp()',
    letter: 'class LetterSieve {',
    stranger: 'a stranger on the network',
    alarm: 'an alarm rings',
  };
  for (const { word, pattern } of retired) assert.match(examples[word]!, pattern, word);
});

test('the glossary lists each retired word with the one that replaces it', () => {
  const glossary = readFileSync(join(root, 'docs/glossary.md'), 'utf8');
  const section = glossary.slice(glossary.indexOf('## Retired words'));
  for (const { word } of retired) assert.ok(section.includes(`| ${word} `), word);
});
