// Reads and describes the text of a receivers file. A separate module, because loading it is costly and few starts need it.
export { loadReceivers } from './file/load-receivers.ts';
export { parseReceivers, type Receivers, type ReceiversResult } from './file/parse-receivers.ts';
export { formatReceiversProblem, type ReceiversProblem } from './file/receivers-problem.ts';
export { receiversJsonSchema } from './file/receivers-schema.ts';
