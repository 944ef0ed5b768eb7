using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The arguments of a resource while they are put together. Values are text or <see cref="IValueProvider"/>.</summary>
public sealed class CommandLineArgsCallbackContext(IList<object> args, CancellationToken cancellationToken = default)
{
    private readonly IResource? _resource;

    public CommandLineArgsCallbackContext(IList<object> args, IResource resource, CancellationToken cancellationToken = default)
        : this(args, cancellationToken) => _resource = resource;

    public IList<object> Args { get; } = args;
    public CancellationToken CancellationToken { get; } = cancellationToken;
    public DistributedApplicationExecutionContext ExecutionContext { get; init; } = new(DistributedApplicationOperation.Run);
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <exception cref="InvalidOperationException">The context was made without a resource.</exception>
    public IResource Resource => _resource ?? throw new InvalidOperationException("This context has no resource.");
}
