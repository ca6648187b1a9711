import { declareErrors } from '@logloom/errors';

/** What can be wrong with a rules file. */
export const rulesErrors = declareErrors({
  'bad-yaml': {
    retriable: false,
    message: 'the file is not YAML',
    where: 'rules file',
    cause: 'The rules file is not YAML.',
    action: 'Fix the line that is named; `logloom rules check` shows all problems.',
  },
  'bad-rule': {
    retriable: false,
    message: 'the rule is invalid',
    where: 'rules file',
    cause: 'A rule has an unknown or missing part, a wrong value, or parts that contradict each other.',
    action: 'Fix it; docs/rules.md describes every part.',
  },
  'bad-rule-filter': {
    retriable: false,
    message: 'the filter of the rule cannot be parsed',
    where: 'rules file',
    cause: 'A filter of a rule is not valid; the position is that in the file.',
    action: 'Fix it; libs/filter/README.md defines the language.',
  },
  'unknown-rule-field': {
    retriable: false,
    message: 'what the rule looks at has no such field',
    where: 'rules file',
    cause:
      'A rule over requests names a field that requests do not have. As a warning: a rule over events names a field of requests, or one that events have under another name; such a rule never matches.',
    action: 'Write a field that is listed, or `of: requests`; docs/rules.md lists them.',
  },
  'duplicate-rule': {
    retriable: false,
    message: 'another rule has this name',
    where: 'rules file',
    cause: 'Two rules have the same name.',
    action: 'Give each its own name.',
  },
  'rules-too-large': {
    retriable: false,
    message: 'the rules file is too large',
    where: 'rules file',
    cause: 'The file is larger than 64 KiB, which is too much for a record of the log.',
    action: 'Shorten it.',
  },
  'unreadable-rules': {
    retriable: false,
    message: 'the rules file cannot be read',
    where: 'rules file',
    cause: 'The file cannot be read.',
    action: 'Check its path and permissions.',
  },
});
