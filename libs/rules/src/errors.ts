import { declareErrors } from '@logloom/errors';

/** What can be wrong with a rules file. */
export const rulesErrors = declareErrors({
  'bad-yaml': {
    retriable: false,
    message: 'the file is not YAML',
    where: 'rules file',
    cause: 'The rules file is not YAML.',
    action: 'Fix it at the line given; `logloom rules check` shows all problems.',
  },
  'bad-rule': {
    retriable: false,
    message: 'the rule is invalid',
    where: 'rules file',
    cause: 'A rule has an unknown or missing part, a wrong value, or parts that exclude each other.',
    action: 'Fix it; docs/rules.md has every part.',
  },
  'bad-rule-filter': {
    retriable: false,
    message: 'the filter of the rule cannot be parsed',
    where: 'rules file',
    cause: 'A filter of a rule cannot be read; the place is that in the file.',
    action: 'Fix it; libs/filter/README.md defines the language.',
  },
  'duplicate-rule': {
    retriable: false,
    message: 'another rule has this name',
    where: 'rules file',
    cause: 'Two rules have one name.',
    action: 'Give each a name of its own.',
  },
  'rules-too-large': {
    retriable: false,
    message: 'the rules file is too large',
    where: 'rules file',
    cause: 'The file is larger than 64 KiB; it is kept in the log.',
    action: 'Shorten it.',
  },
  'unreadable-rules': {
    retriable: false,
    message: 'the rules file cannot be read',
    where: 'rules file',
    cause: 'The file cannot be read.',
    action: 'Look at its path and permissions.',
  },
});
