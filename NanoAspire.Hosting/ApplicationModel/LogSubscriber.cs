namespace Aspire.Hosting.ApplicationModel;

/// <summary>Whether anybody reads a resource's console.</summary>
public readonly record struct LogSubscriber(string Name, bool AnySubscribers);
