// What sends. A separate module, because loading it is costly and few starts need it.
export { DeliveryError } from './delivery-error.ts';
export { postRequest, type PostRequest } from './net/post-request.ts';
