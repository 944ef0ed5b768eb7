namespace NanoAspire.Ctrl.Store;

/// <summary>The store cannot be reached or does not answer in time. Whether the operation took effect is unknown; retrying is safe.</summary>
internal sealed class StoreUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>The store answered with an error, e.g. because a key holds a value of another type.</summary>
internal sealed class StoreCommandException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A bound of the embedded store is reached.</summary>
internal sealed class StoreFullException(string message) : Exception(message);
