namespace NanoAspire.Hosting.Publishing.Steps;

/// <summary>What was asked for on the command line makes no sense: exit code 2, where a failure is 1.</summary>
internal sealed class PublishUsageException(string message) : DistributedApplicationException(message);
