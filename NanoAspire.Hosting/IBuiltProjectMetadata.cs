using System.ComponentModel;

namespace NanoAspire.Hosting;

/// <summary>Implemented by the generated <c>Projects.*</c> classes: where the host's build has put the project's output.</summary>
[EditorBrowsable(EditorBrowsableState.Never)]
public interface IBuiltProjectMetadata : IProjectMetadata
{
    /// <summary>The absolute path of the assembly.</summary>
    string TargetPath { get; }
}
