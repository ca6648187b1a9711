export { CodedError, type CodedErrorOptions } from './coded-error.ts';
export {
  declareErrors,
  messageOf,
  pickErrors,
  statusOf,
  type Catalogue,
  type CodeOf,
  type DetailsOf,
  type ErrorDeclaration,
} from './declare-errors.ts';
export { errorBody, type ErrorBody } from './error-body.ts';
export { requestErrors, type UnknownParameter } from './request-errors.ts';
export { declareReasons, type ReasonDeclaration } from './declare-reasons.ts';
