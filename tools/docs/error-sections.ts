import { archiveErrors } from '@logloom/archive';
import { authErrors, guardErrors } from '@logloom/auth';
import { correlatorErrors } from '@logloom/correlator';
import { requestErrors, type Catalogue, type ReasonDeclaration } from '@logloom/errors';
import { eventLogErrors } from '@logloom/event-log';
import { closeCodes, gapReasons, goodbyeReasons, viewerErrors } from '@logloom/fanout';
import { filterErrors } from '@logloom/filter';
import { indexerErrors } from '@logloom/indexer';
import { eventErrors, ingestErrors } from '@logloom/ingest';
import { jobQueueErrors } from '@logloom/job-queue';
import { receiversErrors } from '@logloom/notify';
import { rulesErrors } from '@logloom/rules';
import { schemaRegistryErrors } from '@logloom/schema-registry';
import { searchStoreErrors } from '@logloom/search-store';
import { settingsErrors } from '@logloom/settings';
import { engineAccessErrors } from '@logloom/settings/connection';
import { storageErrors } from '@logloom/sqlite';
import { loadtestErrors } from '../../apps/loadtest/src/errors.ts';
import { reportErrors } from '../../apps/loadtest/src/report/errors.ts';
import { backupErrors } from '../../apps/logloom/src/backup/errors.ts';
import { commandErrors } from '../../apps/logloom/src/commands/command-errors.ts';
import { exitCodes } from '../../apps/logloom/src/commands/exit-codes.ts';

export interface Section<Declarations> {
  title: string;
  /** The file that declares them, or the folder of the project. */
  declaredIn: string;
  intro?: string;
  declarations: Declarations;
}

/** The catalogues of errors of the whole product, in the order of docs/errors.md. */
export const errorSections: readonly Section<Catalogue>[] = [
  {
    title: 'Every server',
    declaredIn: 'libs/errors/src/request-errors.ts',
    intro: 'What any HTTP server of Logloom responds, whichever service it belongs to.',
    declarations: requestErrors,
  },
  { title: 'Filters', declaredIn: 'libs/filter/src/errors.ts', declarations: filterErrors },
  {
    title: 'Access',
    declaredIn: 'libs/auth/src/errors.ts',
    declarations: { ...authErrors, ...guardErrors },
  },
  {
    title: 'Events that ingest rejects',
    declaredIn: 'services/ingest/src/event-errors.ts',
    intro:
      'Each counts in `logloom_ingest_rejected_events_total{code}` and is kept as a dead letter, also when its whole request is answered ' +
      'with `nothing-readable`. Only a broken array, HTTP 400 `bad-json`, is not stored at all.',
    declarations: eventErrors,
  },
  {
    title: 'Requests that ingest refuses',
    declaredIn: 'services/ingest/src/request-errors.ts',
    declarations: ingestErrors,
  },
  {
    title: 'Live viewers',
    declaredIn: 'services/fanout/src/protocol/viewer-errors.ts',
    declarations: viewerErrors,
  },
  { title: 'Search', declaredIn: 'libs/search-store/src/errors.ts', declarations: searchStoreErrors },
  { title: 'Indexer', declaredIn: 'services/indexer/src/errors.ts', declarations: indexerErrors },
  { title: 'Jobs', declaredIn: 'libs/job-queue/src/errors.ts', declarations: jobQueueErrors },
  { title: 'Archive', declaredIn: 'libs/archive/src/errors.ts', declarations: archiveErrors },
  { title: 'Embedded store', declaredIn: 'libs/sqlite/src/errors.ts', declarations: storageErrors },
  { title: 'Log', declaredIn: 'libs/event-log/src/errors.ts', declarations: eventLogErrors },
  {
    title: 'Schemas',
    declaredIn: 'libs/schema-registry/src/errors.ts',
    declarations: schemaRegistryErrors,
  },
  { title: 'Correlator', declaredIn: 'services/correlator/src/errors.ts', declarations: correlatorErrors },
  { title: 'Rules files', declaredIn: 'libs/rules/src/errors.ts', declarations: rulesErrors },
  { title: 'Receivers files', declaredIn: 'libs/notify/src/errors.ts', declarations: receiversErrors },
  { title: 'Backups', declaredIn: 'apps/logloom/src/backup/errors.ts', declarations: backupErrors },
  { title: 'Load tests', declaredIn: 'apps/loadtest/src/errors.ts', declarations: loadtestErrors },
  {
    title: 'Reports of load tests',
    declaredIn: 'apps/loadtest/src/report/errors.ts',
    declarations: reportErrors,
  },
  { title: 'Settings', declaredIn: 'libs/settings/src/errors.ts', declarations: settingsErrors },
  {
    title: 'Engines',
    declaredIn: 'libs/settings/src/connection/engine-access-error.ts',
    declarations: engineAccessErrors,
  },
  {
    title: 'Commands',
    declaredIn: 'apps/logloom/src/commands/command-errors.ts',
    declarations: commandErrors,
  },
];

/** What protocols show without being an error of its own. */
export const reasonSections: readonly Section<Readonly<Record<string, ReasonDeclaration>>>[] = [
  {
    title: 'Gap reasons',
    declaredIn: 'services/fanout/src/protocol/reasons.ts',
    intro: 'A `gap` message (`/live`, `/live/sse`) says that events between two cursors were not sent.',
    declarations: gapReasons,
  },
  {
    title: 'Goodbye reasons',
    declaredIn: 'services/fanout/src/protocol/reasons.ts',
    declarations: goodbyeReasons,
  },
  {
    title: 'WebSocket close codes',
    declaredIn: 'services/fanout/src/protocol/reasons.ts',
    declarations: closeCodes,
  },
  { title: 'Exit codes', declaredIn: 'apps/logloom/src/commands/exit-codes.ts', declarations: exitCodes },
];
