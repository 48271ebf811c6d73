namespace OrleansLeases.Storage;

/// <summary>
/// A record cannot be read, and callers may see why. Other exceptions of a store, except for <see cref="InvalidDataException"/>, are
/// logged and not returned to callers.
/// </summary>
/// <param name="message">The reason and the remedy.</param>
public sealed class StoreUnreadableException(string message) : Exception(message);
