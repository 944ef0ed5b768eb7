using Aspire.Hosting.Publishing;

namespace NanoAspire.Hosting.Publishing.Manifest;

/// <summary>The entry of a container.</summary>
internal static class ContainerManifest
{
    public static async Task WriteAsync(ManifestPublishingContext context, ContainerResource container)
    {
        var writer = context.Writer;
        var build = container.Annotations.OfType<DockerfileBuildAnnotation>().LastOrDefault();
        writer.WriteString("type", build is not null || container.HasAnnotationOfType<DeploymentTargetAnnotation>() ? "container.v1" : "container.v0");
        context.WriteConnectionString(container);
        if (build is not null) WriteBuild(context, build);
        else if (container.TryGetContainerImageName(out var image)) writer.WriteString("image", image);
        else throw new DistributedApplicationException($"Could not get the container image of '{container.Name}'.");
        if (container.Entrypoint is { } entrypoint) writer.WriteString("entrypoint", entrypoint);
        await context.WriteCommandLineArgumentsAsync(container).ConfigureAwait(false);
        WriteMounts(context, container);
        await context.WriteEnvironmentVariablesAsync(container).ConfigureAwait(false);
        context.WriteBindings(container);
    }

    private static void WriteBuild(ManifestPublishingContext context, DockerfileBuildAnnotation build)
    {
        var writer = context.Writer;
        writer.WriteStartObject("build");
        writer.WriteString("context", context.GetManifestRelativePath(build.ContextPath));
        writer.WriteString("dockerfile", context.GetManifestRelativePath(build.DockerfilePath));
        if (build.Stage is { } stage) writer.WriteString("stage", stage);
        if (build.BuildArguments.Count > 0)
        {
            writer.WriteStartObject("args");
            foreach (var (name, value) in build.BuildArguments)
            {
                writer.WriteString(name, value is null ? "" : PublishedValues.Expression(value));
                context.TryAddDependentResources(value);
            }
            writer.WriteEndObject();
        }
        if (build.BuildSecrets.Count > 0)
        {
            writer.WriteStartObject("secrets");
            foreach (var (name, value) in build.BuildSecrets)
            {
                writer.WriteStartObject(name);
                if (value is FileInfo file)
                {
                    writer.WriteString("type", "file");
                    writer.WriteString("source", context.GetManifestRelativePath(file.FullName));
                }
                else
                {
                    writer.WriteString("type", "env");
                    writer.WriteString("value", PublishedValues.Expression(value));
                    context.TryAddDependentResources(value);
                }
                writer.WriteEndObject();
            }
            writer.WriteEndObject();
        }
        writer.WriteEndObject();
    }

    private static void WriteMounts(ManifestPublishingContext context, ContainerResource container)
    {
        var writer = context.Writer;
        var mounts = container.Annotations.OfType<ContainerMountAnnotation>().ToArray();
        WriteArray("bindMounts", ContainerMountType.BindMount, mount => writer.WriteString("source", context.GetManifestRelativePath(mount.Source)));
        WriteArray("volumes", ContainerMountType.Volume, mount =>
        {
            if (!string.IsNullOrEmpty(mount.Source)) writer.WriteString("name", mount.Source);
        });

        void WriteArray(string name, ContainerMountType type, Action<ContainerMountAnnotation> source)
        {
            if (mounts.All(m => m.Type != type)) return;
            writer.WriteStartArray(name);
            foreach (var mount in mounts.Where(m => m.Type == type))
            {
                writer.WriteStartObject();
                source(mount);
                writer.WriteString("target", mount.Target);
                writer.WriteBoolean("readOnly", mount.IsReadOnly);
                writer.WriteEndObject();
            }
            writer.WriteEndArray();
        }
    }
}
