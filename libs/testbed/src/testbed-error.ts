/** Something of the test bed could not be had. The message says what to do where a person can do something. */
export class TestbedError extends Error {
  override readonly name = 'TestbedError';
}
