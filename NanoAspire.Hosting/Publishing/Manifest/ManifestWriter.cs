using System.Text.Json;
using Aspire.Hosting.Publishing;

namespace NanoAspire.Hosting.Publishing.Manifest;

/// <summary>Writes the model as a manifest: its resources in their order, then those outside it that values refer to.</summary>
internal static class ManifestWriter
{
    private const string Schema = "https://json.schemastore.org/aspire-8.0.json";

    /// <param name="model">The resources.</param>
    /// <param name="execution">The publish operation.</param>
    /// <param name="path">Where the manifest will be: its paths are relative to that folder.</param>
    /// <param name="output">Receives UTF-8 JSON.</param>
    /// <param name="ct">Ends the callbacks of resources.</param>
    public static async Task WriteAsync(DistributedApplicationModel model, DistributedApplicationExecutionContext execution, string path, Stream output, CancellationToken ct)
    {
        using var writer = new Utf8JsonWriter(output, new JsonWriterOptions { Indented = true });
        var context = new ManifestPublishingContext(execution, path, writer, ct);
        context.ReservePorts(model);
        writer.WriteStartObject();
        writer.WriteString("$schema", Schema);
        writer.WriteStartObject("resources");
        foreach (var resource in model.Resources) await WriteResourceAsync(context, resource).ConfigureAwait(false);
        var names = model.Resources.Select(r => r.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        // Writing a resource may refer to more of them, so the list grows while it is walked.
        for (var i = 0; i < context.Referenced.Count; i++)
        {
            var referenced = context.Referenced[i];
            // By name: a configured connection string refers to a parameter of its own name, and is written as one.
            if (names.Add(referenced.Name)) await WriteResourceAsync(context, referenced).ConfigureAwait(false);
            foreach (var encoded in context.EncodedForms(referenced)) ResourceManifests.WriteEncodedString(context, encoded);
        }
        writer.WriteEndObject();
        writer.WriteEndObject();
        await writer.FlushAsync(ct).ConfigureAwait(false);
    }

    private static async Task WriteResourceAsync(ManifestPublishingContext context, IResource resource)
    {
        if (resource.TryGetLastAnnotation<ManifestPublishingCallbackAnnotation>(out var custom))
        {
            if (custom.Callback is { } callback) await WriteObjectAsync(() => callback(context)).ConfigureAwait(false);
            return;
        }
        Func<Task>? write = resource switch
        {
            ContainerResource container => () => context.WriteContainerAsync(container),
            ProjectResource project => () => ResourceManifests.WriteProjectAsync(context, project),
            ExecutableResource executable => () => ResourceManifests.WriteExecutableAsync(context, executable),
            ParameterResource parameter => Synchronous(() => ResourceManifests.WriteParameter(context, parameter)),
            IResourceWithConnectionString => Synchronous(() => ResourceManifests.WriteValue(context, resource)),
            IComputeEnvironmentResource => null,
            _ => Synchronous(() => context.Writer.WriteString("error", "This resource does not support generation in the manifest.")),
        };
        if (write is not null) await WriteObjectAsync(write).ConfigureAwait(false);

        async Task WriteObjectAsync(Func<Task> members)
        {
            context.Writer.WriteStartObject(resource.Name);
            await members().ConfigureAwait(false);
            context.Writer.WriteEndObject();
        }
    }

    private static Func<Task> Synchronous(Action action) => () =>
    {
        action();
        return Task.CompletedTask;
    };
}
