namespace OrleansLeases.Storage;

/// <summary>
/// A store that knows why it cannot be read and what to do, in words for callers. Whatever else a store throws, but for
/// <see cref="InvalidDataException"/>, goes to the log and to no caller.
/// </summary>
/// <param name="message">Why, and what to do.</param>
public sealed class StoreUnreadableException(string message) : Exception(message);
