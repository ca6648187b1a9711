export { correlationDocument } from './correlation-document.ts';
export { eventually } from './eventually.ts';
export { freeze, unfreeze, whileFrozen } from './freeze.ts';
export { freePort } from './free-port.ts';
export { captureLog, type CapturedLine, type LogCapture } from './log-capture.ts';
export { logEvent, placedEvent } from './log-event.ts';
export { openStackLog } from './open-stack-log.ts';
export { hasWholeRecording, recordedLines } from './recorded-lines.ts';
export { temporaryFolder, type TemporaryFolder } from './temporary-folder.ts';
