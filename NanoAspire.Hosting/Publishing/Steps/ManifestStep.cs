using Aspire.Hosting.Pipelines;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using NanoAspire.Hosting.Publishing.Manifest;

namespace NanoAspire.Hosting.Publishing.Steps;

/// <summary><c>publish-manifest</c>: the model as JSON, for tools that deploy it.</summary>
internal static class ManifestStep
{
    public const string Name = "publish-manifest";
    private const string DefaultFile = "aspire-manifest.json";

    public static async Task RunAsync(PipelineStepContext context)
    {
        var given = context.Services.GetRequiredService<IOptions<PipelineOptions>>().Value.OutputPath
            ?? throw new PublishUsageException("publisher 'manifest' needs --output-path FILE");
        var path = Path.GetFullPath(given);
        if (!path.EndsWith(".json", StringComparison.OrdinalIgnoreCase)) path = Path.Combine(path, DefaultFile);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);

        // Written whole or not at all: a deployment must not read half a manifest.
        using var buffer = new MemoryStream();
        await ManifestWriter.WriteAsync(context.Model, context.ExecutionContext, path, buffer, context.CancellationToken).ConfigureAwait(false);
        await File.WriteAllBytesAsync(path, buffer.ToArray(), context.CancellationToken).ConfigureAwait(false);
        await context.ReportingStep.CompleteAsync($"published manifest to {path}", cancellationToken: context.CancellationToken).ConfigureAwait(false);
    }
}
