using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Aspire.Hosting.ApplicationModel;

/// <summary>The arguments of the container runtime while they are put together. Values are text or <see cref="IValueProvider"/>.</summary>
public sealed class ContainerRuntimeArgsCallbackContext(IList<object> args, CancellationToken cancellationToken = default)
{
    public IList<object> Args { get; } = args ?? throw new ArgumentNullException(nameof(args));
    public CancellationToken CancellationToken { get; } = cancellationToken;
    public ILogger Logger { get; init; } = NullLogger.Instance;
}
