// The same suite, which runs for longer here.
import '../openapi-fuzz.spec.ts';
