import { CodedError, declareErrors, type CodeOf } from '@logloom/errors';

/** Why a command of `logloom` ends with another exit code than 0. */
export const commandErrors = declareErrors({
  'nothing-found': {
    retriable: true,
    message: 'nothing was found',
    where: 'command line, exit code 1',
    cause: 'The command worked, and found nothing: no event, request, dead letter or document.',
    action: 'Check the filter, the id and the time range.',
  },
  'problems-found': {
    retriable: true,
    message: 'problems were found',
    where: 'command line, exit code 1',
    cause: 'Lines were rejected, or a check found a problem, which the output lists.',
    action: 'Read the output of the command.',
  },
  'command-failed': {
    retriable: false,
    message: 'the command failed',
    where: 'command line, exit code 2',
    cause: 'The command cannot do what its options, files or settings ask for.',
    action: 'Fix what the message names; `logloom <command> --help` lists the options.',
  },
  'no-response': {
    retriable: true,
    message: 'no response; is Logloom running?',
    where: 'command line, exit code 2',
    cause: 'No Logloom responds at the address.',
    action:
      'Start Logloom, or name its address: `--url`, `--ingest-url`, `HOST`, `LIVE_PORT`, `INGEST_PORT`.',
  },
  'request-refused': {
    retriable: false,
    message: 'Logloom refused the request',
    where: 'command line, exit code 2',
    cause: 'Logloom responded with an error; the message is its own, with its code in parentheses.',
    action: 'Look up the code on this page.',
  },
  interrupted: {
    retriable: true,
    message: 'interrupted',
    where: 'command line, exit code 2',
    cause: 'Ctrl-C or SIGTERM ended the command before it was done.',
    action: 'Start it again: the message says whether it resumes where it stopped.',
  },
});

export type CommandErrorCode = CodeOf<typeof commandErrors>;

/** Why a command could not do its work; the exit code is for scripts. An empty message: the command has printed what there is to say. */
export class CommandError extends CodedError<CommandErrorCode> {
  readonly exitCode: number;

  constructor(code: CommandErrorCode, message?: string) {
    super(commandErrors, code, message);
    this.exitCode = code === 'nothing-found' || code === 'problems-found' ? 1 : 2;
  }
}
