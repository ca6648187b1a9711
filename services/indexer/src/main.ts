import { registerApiDocs } from '@logloom/runtime/api-docs';
import { runStandalone } from '@logloom/runtime/standalone';
import { connectApi } from './api/connect-api.ts';
import { runIndexer } from './run-indexer.ts';
import { settings } from './settings.ts';

await runStandalone({
  settings,
  service: 'indexer',
  healthPort: 9103,
  run: runIndexer,
  env: process.env,
  register: (app, { settings, telemetry }) => {
    registerApiDocs(app);
    return connectApi(
      app,
      settings,
      (error) => telemetry.logger.error({ err: error }, 'the API failed'),
      telemetry,
      {
        hasAdmission: true,
      },
    );
  },
});
