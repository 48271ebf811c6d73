namespace OrleansLeases.Bench.Driving;

// Ends the run with a message: a wrong answer makes every figure worthless.
internal sealed class BenchException(string message, Exception? inner = null) : Exception(message, inner);
