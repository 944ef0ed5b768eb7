namespace Aspire.Hosting.Eventing;

/// <summary>Whether the publisher waits for the handlers, and whether handlers wait for each other.</summary>
public enum EventDispatchBehavior
{
    BlockingSequential,
    BlockingConcurrent,
    NonBlockingSequential,
    NonBlockingConcurrent,
}
