import { temporaryFolder } from '@logloom/testing';
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { exampleResult } from '../testing/example-result.ts';
import { writeReports } from './write-reports.ts';

const browser = process.env['CHROMIUM'] ?? '/usr/bin/chromium';

test('Chromium prints the report, and nothing else is left in the folder', async (t) => {
  if (!existsSync(browser)) return t.skip(`chromium is not at ${browser} (Debian: chromium)`);
  using folder = temporaryFolder('print');
  await writeReports(exampleResult('not-ready'), folder.path, { formats: ['pdf'], browser });
  assert.deepEqual(readdirSync(folder.path).sort(), ['report.pdf', 'result.json']);
  const pdf = readFileSync(join(folder.path, 'report.pdf'), 'latin1');
  assert.match(pdf, /^%PDF-/);
  assert.match(pdf, /\/Type \/Page\b/);
});
