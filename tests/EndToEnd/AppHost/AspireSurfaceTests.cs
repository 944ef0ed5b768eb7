using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;
using NanoAspire.Tests;

namespace NanoAspire.EndToEnd.AppHost;

/// <summary>
/// The members of Aspire that the host program is compiled against, as a list that people have read: each exists in Aspire's own packages under the same name.
/// What is new here must be looked up there before it is added to the list.
/// </summary>
public sealed class AspireSurfaceTests
{
    [Fact]
    public void The_host_uses_only_members_that_Aspires_packages_have()
    {
        var list = Path.Combine(RepositoryPaths.Root, "tests", "EndToEnd", "AppHost", "AspireSurface.txt");
        var known = File.ReadAllLines(list).Where(l => l.Length > 0 && l[0] != '#').ToHashSet();
        var used = Used(typeof(Projects.NanoAspire_AppHost).Assembly.Location);
        Assert.NotEmpty(used);
        Assert.True(used.IsSubsetOf(known), $"look up in Aspire's API, then add to the list:\n{string.Join('\n', used.Except(known))}");
        Assert.True(known.IsSubsetOf(used), $"no longer used:\n{string.Join('\n', known.Except(used))}");
    }

    /// <summary><c>Namespace.Type.Member</c> of everything in namespaces of Aspire that the assembly refers to. Accessors and operators count as their members.</summary>
    private static SortedSet<string> Used(string assembly)
    {
        using var file = new PEReader(File.OpenRead(assembly));
        var metadata = file.GetMetadataReader();
        var used = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var handle in metadata.MemberReferences)
        {
            var member = metadata.GetMemberReference(handle);
            TypeReferenceHandle? parent = member.Parent.Kind switch
            {
                HandleKind.TypeReference => (TypeReferenceHandle)member.Parent,
                HandleKind.TypeSpecification => Definition(metadata, metadata.GetTypeSpecification((TypeSpecificationHandle)member.Parent)),
                _ => null,
            };
            if (parent is null || FullName(metadata, metadata.GetTypeReference(parent.Value)) is not { } type || !type.StartsWith("Aspire.", StringComparison.Ordinal)) continue;
            var name = metadata.GetString(member.Name);
            used.Add($"{type}.{(name.StartsWith("get_", StringComparison.Ordinal) || name.StartsWith("set_", StringComparison.Ordinal) ? name[4..] : name)}");
        }
        return used;
    }

    /// <summary>The open type of a generic instance: its blob is 0x15, the kind, and the type as a coded index.</summary>
    private static TypeReferenceHandle? Definition(MetadataReader metadata, TypeSpecification specification)
    {
        var blob = metadata.GetBlobReader(specification.Signature);
        if (blob.ReadByte() != (byte)SignatureTypeCode.GenericTypeInstance) return null;
        blob.ReadByte();
        return blob.ReadTypeHandle() is { Kind: HandleKind.TypeReference } type ? (TypeReferenceHandle)type : null;
    }

    private static string? FullName(MetadataReader metadata, TypeReference type)
    {
        var name = metadata.GetString(type.Name);
        return type.ResolutionScope.Kind == HandleKind.TypeReference
            ? $"{FullName(metadata, metadata.GetTypeReference((TypeReferenceHandle)type.ResolutionScope))}.{name}"
            : $"{metadata.GetString(type.Namespace)}.{name}";
    }
}
