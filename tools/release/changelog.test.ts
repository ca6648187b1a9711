import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ChangelogError, dateSection } from './changelog.ts';

const changelog = `# Changelog

## [Unreleased]

## [1.2.0] - not released yet

### Added

- A thing.

## [1.1.0] - 2026-01-02

- Another.
`;

test('writes the date into the heading of the section, and changes nothing else', () => {
  assert.equal(
    dateSection(changelog, '1.2.0', '2026-03-04'),
    changelog.replace('## [1.2.0] - not released yet', '## [1.2.0] - 2026-03-04'),
  );
});

test('refuses a version without a section, or with an empty one', () => {
  for (const version of ['1.3.0', '1x2.0', 'Unreleased'])
    assert.throws(() => dateSection(changelog, version, '2026-03-04'), ChangelogError, version);
});
