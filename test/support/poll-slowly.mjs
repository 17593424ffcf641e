/**
 * Dawn's binding asks a device whether it is done at each turn of the event loop (`setImmediate`, which it looks up each time): one core
 * goes into asking while a software adapter wants it for the answer. In processes that load this it asks once in a millisecond.
 */
globalThis.setImmediate = (callback, ...args) => setTimeout(callback, 1, ...args);
